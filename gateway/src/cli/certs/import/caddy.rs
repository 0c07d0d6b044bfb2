//! Caddy's folder: `certificates/CA/NAME/NAME.crt` and `NAME.key`; a wildcard is called
//! `wildcard_.example.com`.

use std::path::{Path, PathBuf};

use super::candidate::Pair;
use super::entries;

/// Where it is when nobody says otherwise, besides the user's own data: of the service that packages
/// install, and in the container.
pub(super) const USUAL: [&str; 2] = ["/var/lib/caddy/.local/share/caddy", "/data/caddy"];

/// The folder `certificates` of Caddy's folder, or of the one above; or the folder itself where it is
/// that one.
pub(super) fn recognise(folder: &Path) -> Option<PathBuf> {
    let below = ["certificates", "caddy/certificates"].map(|name| folder.join(name));
    if let Some(certificates) = below.into_iter().find(|path| path.is_dir()) {
        return Some(certificates);
    }
    let pairs = pairs(folder).ok()?;
    (!pairs.is_empty()).then(|| folder.to_owned())
}

/// Every certificate in it, of whichever CA.
pub(super) fn pairs(certificates: &Path) -> Result<Vec<Pair>, String> {
    let mut pairs = Vec::new();
    for ca in folders(certificates)? {
        for folder in folders(&ca)? {
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
            let chain = folder.join(format!("{name}.crt"));
            let key = folder.join(format!("{name}.key"));
            if chain.is_file() {
                pairs.push(Pair { chain, key });
            }
        }
    }
    Ok(pairs)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}
