//! Can the storage folder be used?

use std::path::Path;

use gateway_config::Problems;
use gateway_config::model::{Config, Tls};
use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::super::finding::Finding;
use super::super::places::Places;

/// Without sites that keep something there nobody looks at the folder.
pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    if config.sites.iter().all(|site| matches!(site.tls, Tls::Files(_))) {
        return;
    }
    let Err(message) = usable(&config.server.storage) else { return };
    let help = "give the gateway's user the right to write there, or set `storage` in [server] to another folder";
    problems.push(Finding::Storage.problem(message, help.into(), places.server("storage", 0)));
}

/// Whether the local CA's folder, or what of the way to it exists, may be written to; what is
/// missing is made at start.
fn usable(storage: &Path) -> Result<(), String> {
    let folder = storage.join("local-ca");
    let exists = |path: &&Path| path.symlink_metadata().is_ok() || path.as_os_str().is_empty();
    let nearest = folder.ancestors().find(exists).unwrap_or(storage);
    let nearest = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
    let shown = nearest.display();
    if !nearest.is_dir() {
        return Err(format!("the storage folder cannot be used: `{shown}` is not a folder"));
    }
    match access(nearest, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Ok(()),
        // A CA that exists can be used from a disk that nobody may write to.
        Err(Errno::ROFS) if nearest == folder => Ok(()),
        Err(error) => {
            let reason = std::io::Error::from(error);
            Err(format!(
                "the storage folder cannot be used: `{shown}` cannot be written to ({reason})"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_made_and_what_is_in_the_way_is_not() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(usable(&dir.path().join("a/b")), Ok(()));
        assert!(!dir.path().join("a").exists());
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        for storage in [file.clone(), file.join("x")] {
            let message = usable(&storage).unwrap_err();
            assert!(message.contains("is not a folder"), "{message}");
        }
    }
}
