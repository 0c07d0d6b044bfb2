//! Are the folders of `files` there?

use std::path::Path;

use gateway_config::Problems;
use gateway_config::model::{Action, Config};
use rustix::fs::{Access, access};

use super::super::finding::Finding;
use super::super::places::Places;

/// A folder that is not there yet keeps nothing from starting; until it is, its routes answer 500.
pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    for site in &config.sites {
        for route in &site.routes {
            let Action::Files(files) = &route.action else { continue };
            let Err(why) = readable(&files.dir) else { continue };
            let message = format!("the folder `{}` cannot be served: {why}", files.dir.display());
            let help = "make it, let the gateway's user read it, or name another in `files`";
            let place = places.files(&site.name, &route.path);
            problems.push(Finding::Folder.problem(message, help.into(), place));
        }
    }
}

fn readable(folder: &Path) -> std::io::Result<()> {
    if !folder.metadata()?.is_dir() {
        return Err(std::io::ErrorKind::NotADirectory.into());
    }
    Ok(access(folder, Access::READ_OK | Access::EXEC_OK)?)
}
