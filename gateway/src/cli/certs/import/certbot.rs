//! certbot's folder: `live/NAME/fullchain.pem` and `privkey.pem`, which lead to the newest of
//! `archive/NAME`.

use std::path::{Path, PathBuf};

use super::candidate::Pair;
use super::entries;

/// Where it is when nobody says otherwise.
pub(super) const USUAL: &str = "/etc/letsencrypt";

/// The folder `live` of certbot's folder, or the folder itself where it is that one.
pub(super) fn recognise(folder: &Path) -> Option<PathBuf> {
    let live = folder.join("live");
    if live.is_dir() {
        return Some(live);
    }
    let is_one = |path: &PathBuf| pair(path).chain.symlink_metadata().is_ok();
    entries(folder).ok()?.iter().any(is_one).then(|| folder.to_owned())
}

/// Every certificate in it.
pub(super) fn pairs(live: &Path) -> Result<Vec<Pair>, String> {
    let folders = entries(live)?.into_iter().filter(|path| path.is_dir());
    Ok(folders.map(|folder| pair(&folder)).collect())
}

fn pair(folder: &Path) -> Pair {
    Pair { chain: folder.join("fullchain.pem"), key: folder.join("privkey.pem") }
}
