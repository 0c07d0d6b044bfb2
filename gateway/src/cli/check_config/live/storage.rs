//! Can the storage folder be used?

use std::path::Path;
use std::sync::Arc;

use gateway_config::Problems;
use gateway_config::model::{Balance, Config, Tls, Upstream};
use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::super::finding::Finding;
use super::super::places::Places;

/// Without sites and upstreams that keep something there nobody looks at the folder.
pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    let any = |of: fn(&Tls) -> bool| config.sites.iter().any(|site| of(&site.tls));
    let storage = &config.server.storage;
    // Until its certificate comes, a site is served with one of the local CA.
    let local_ca = any(|tls| !matches!(tls, Tls::Files(_))).then(|| usable(storage, "local-ca"));
    let acme = any(|tls| matches!(tls, Tls::Acme(_)))
        .then(|| usable(storage, "acme").and_then(|()| all_readable(&storage.join("acme"))));
    let is_sticky = |upstream: &Arc<Upstream>| matches!(upstream.balance, Balance::Sticky(_));
    let sticky = config.upstreams.iter().any(is_sticky).then(|| usable(storage, "sticky"));
    let mut said = None;
    for message in [local_ca, acme, sticky].into_iter().flatten().filter_map(Result::err) {
        if said.as_ref() != Some(&message) {
            let help = "give the gateway's user the right to write there, or set `storage` in [server] to another folder";
            let place = places.server("storage", 0);
            problems.push(Finding::Storage.problem(message.clone(), help.into(), place));
            said = Some(message);
        }
    }
}

/// Whether a folder of the storage, or what of the way to it exists, may be written to; what is
/// missing is made at start.
fn usable(storage: &Path, name: &str) -> Result<(), String> {
    let folder = storage.join(name);
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
        Err(Errno::ROFS) if nearest == folder && name == "local-ca" => Ok(()),
        Err(error) => {
            let reason = std::io::Error::from(error);
            Err(format!(
                "the storage folder cannot be used: `{shown}` cannot be written to ({reason})"
            ))
        }
    }
}

/// Whether every file of a folder may be read; the first that may not be, otherwise. Somebody else,
/// root say, may have put it there.
fn all_readable(folder: &Path) -> Result<(), String> {
    let Ok(entries) = folder.read_dir() else { return Ok(()) };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        if let Err(error) = access(&file, Access::READ_OK) {
            let (file, reason) = (file.display(), std::io::Error::from(error));
            return Err(format!("in the storage folder, `{file}` cannot be read ({reason})"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(all_readable(&dir.path().join("none")), Ok(()));
        std::fs::write(dir.path().join("a.pem"), "").unwrap();
        assert_eq!(all_readable(dir.path()), Ok(()));
        // Not even root can follow it.
        std::os::unix::fs::symlink(dir.path().join("gone"), dir.path().join("b.pem")).unwrap();
        let message = all_readable(dir.path()).unwrap_err();
        assert!(message.contains("b.pem` cannot be read"), "{message}");
    }

    #[test]
    fn what_is_missing_is_made_and_what_is_in_the_way_is_not() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(usable(&dir.path().join("a/b"), "acme"), Ok(()));
        assert!(!dir.path().join("a").exists());
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        for storage in [file.clone(), file.join("x")] {
            let message = usable(&storage, "acme").unwrap_err();
            assert!(message.contains("is not a folder"), "{message}");
        }
    }
}
