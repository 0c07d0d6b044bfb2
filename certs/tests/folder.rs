//! A folder that belongs to another user, worked on by root.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};

use gateway_certs::Folder;
use tempfile::TempDir;

/// Any user but root: it need not exist.
const SOMEBODY: u32 = 4_711;

/// A folder that is somebody's; `None` where this process may not give anything away.
fn of_somebody() -> Option<(TempDir, Folder)> {
    let dir = TempDir::new().unwrap();
    if dir.path().metadata().unwrap().uid() != 0 {
        eprintln!("SKIPPED: what root does in another user's folder: this is not root");
        return None;
    }
    chown(dir.path(), Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    let folder = Folder::open(dir.path(), dir.path().join("keys")).unwrap();
    Some((dir, folder))
}

#[test]
fn what_root_makes_there_is_the_owners() {
    let Some((_dir, folder)) = of_somebody() else { return };
    folder.write("a", b"secret", 0o600).unwrap();
    drop(folder.lock("lock").unwrap());
    for path in [folder.path().to_owned(), folder.file("a"), folder.file("lock")] {
        assert_eq!(path.metadata().unwrap().uid(), SOMEBODY, "{}", path.display());
    }
}

#[test]
fn a_link_that_the_owner_has_put_there_gives_nothing_away() {
    let Some((dir, folder)) = of_somebody() else { return };
    let roots = dir.path().join("roots");
    fs::write(&roots, "root's own").unwrap();
    chown(&roots, Some(0), Some(0)).unwrap();
    for name in ["lock", "a", "a.new"] {
        symlink(&roots, folder.file(name)).unwrap();
    }
    drop(folder.lock("lock").unwrap());
    folder.write("a", b"secret", 0o600).unwrap();
    assert_eq!(roots.metadata().unwrap().uid(), 0);
    assert_eq!(fs::read_to_string(&roots).unwrap(), "root's own");
}
