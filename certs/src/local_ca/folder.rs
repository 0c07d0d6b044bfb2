//! The local CA's folder: locked while it is looked at, and written so that a crash at any moment
//! leaves each file as it was or as it should be.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::StorageError;

const LOCK: &str = "lock";

/// The folder, locked against other processes and threads until it is dropped.
pub(super) struct Folder {
    path: PathBuf,
    /// Closing it is what unlocks.
    _lock: File,
}

/// A file's content and its permission bits.
pub(super) struct Kept {
    pub(super) content: Vec<u8>,
    pub(super) mode: u32,
}

impl Folder {
    /// Makes the folder where there is none, and waits for the lock. Whoever holds it is done within
    /// milliseconds, and a process that dies loses it.
    pub(super) fn lock(storage: &Path) -> Result<Self, StorageError> {
        let path = storage.join("local-ca");
        make(storage, &path)
            .map_err(|source| StorageError::MakeFolder { path: path.clone(), source })?;
        let lock_path = path.join(LOCK);
        let lock =
            lock(&lock_path).map_err(|source| StorageError::Lock { path: lock_path, source })?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file's content; `None` where there is no such file.
    pub(super) fn read(&self, name: &str) -> Result<Option<Kept>, StorageError> {
        let path = self.file(name);
        let read = || {
            let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
            Ok(Kept { content: fs::read(&path)?, mode })
        };
        match read() {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if io::Error::kind(&error) == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StorageError::Read { path, source }),
        }
    }

    /// Puts a file there as a whole: written beside, flushed to the disk, renamed, and the folder
    /// flushed too, so that the rename itself survives a power cut.
    pub(super) fn write(&self, name: &str, content: &[u8], mode: u32) -> Result<(), StorageError> {
        let path = self.file(name);
        let beside = self.file(&format!("{name}.new"));
        let write = || {
            remove_left_over(&beside)?;
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
            // The umask may have taken bits away.
            file.set_permissions(Permissions::from_mode(mode))?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            self.sync()
        };
        write().map_err(|source| StorageError::Write { path, source })
    }

    pub(super) fn set_mode(&self, name: &str, mode: u32) -> Result<(), StorageError> {
        let path = self.file(name);
        fs::set_permissions(&path, Permissions::from_mode(mode))
            .map_err(|source| StorageError::Write { path, source })
    }

    /// Renames a file to `name.suffix`, or `name.suffix.2` and so on where that is taken. Returns
    /// the new path; `None` where there was no such file.
    pub(super) fn move_aside(
        &self,
        name: &str,
        suffix: &str,
    ) -> Result<Option<PathBuf>, StorageError> {
        let path = self.file(name);
        let aside = self.free_name(&format!("{name}.{suffix}"));
        let rename = || {
            fs::rename(&path, &aside)?;
            self.sync()
        };
        match rename() {
            Ok(()) => Ok(Some(aside)),
            Err(error) if io::Error::kind(&error) == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StorageError::Write { path, source }),
        }
    }

    fn free_name(&self, wanted: &str) -> PathBuf {
        let mut candidate = self.file(wanted);
        let mut number = 2_u32;
        while candidate.symlink_metadata().is_ok() {
            candidate = self.file(&format!("{wanted}.{number}"));
            number += 1;
        }
        candidate
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

fn make(storage: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(storage)?;
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        done => return done,
    }
    // Somebody else's bits on a folder of keys are taken back; a link or a file fails below.
    let mode = fs::metadata(path)?.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(0o700)),
    }
}

fn lock(path: &Path) -> io::Result<File> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = match made {
        // A CA that exists can be used from a disk that nobody may write to.
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => File::open(path)?,
        made => made?,
    };
    file.lock()?;
    Ok(file)
}

/// What a process wrote that died before its rename.
fn remove_left_over(beside: &Path) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
