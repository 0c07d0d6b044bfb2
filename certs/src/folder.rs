//! A folder of keys and certificates: its files are for the gateway's user alone, and are written so
//! that a crash at any moment leaves each as it was or as it should be.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{self as unix, DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What a file's name ends with while it is being written.
const BESIDE: &str = ".new";

/// A folder with mode 0700.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// A lock on a file, held against other processes and other holders in this one until it is dropped.
/// A process that dies loses it.
#[derive(Debug)]
pub struct Lock {
    /// Closing it is what unlocks.
    _file: File,
}

/// What was to be done with a folder or a file in it, and the system refused.
#[derive(Debug)]
pub struct FolderError {
    /// What was to be done.
    pub action: FolderAction,
    /// With which folder or file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// What can be done with a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderAction {
    /// Making the folder, or taking back what others may do with it.
    Make,
    /// Locking.
    Lock,
    /// Reading a file or listing the folder.
    Read,
    /// Writing, renaming or removing a file.
    Write,
}

/// A file's content and its permission bits.
#[derive(Debug)]
pub struct Kept {
    /// What it holds.
    pub content: Vec<u8>,
    /// Who may do what with it, the lower twelve bits.
    pub mode: u32,
}

impl Folder {
    /// The folder `path`, made where there is none, below `parent`, which is made too. Where others
    /// may read it, that is taken back.
    ///
    /// # Errors
    /// [`FolderAction::Make`].
    pub fn open(parent: &Path, path: PathBuf) -> Result<Self, FolderError> {
        make(parent, &path).map_err(failed(FolderAction::Make, &path))?;
        Ok(Self { path })
    }

    /// The folder `path`, for whoever only reads: nothing is made, and nobody's rights are changed.
    #[must_use]
    pub fn existing(path: PathBuf) -> Self {
        Self { path }
    }

    /// Waits for the lock of this name. For what is done within milliseconds.
    ///
    /// # Errors
    /// [`FolderAction::Lock`].
    pub fn lock(&self, name: &str) -> Result<Lock, FolderError> {
        let path = self.file(name);
        let lock = || {
            let file = lock_file(&path)?;
            file.lock()?;
            Ok(Lock { _file: file })
        };
        lock().map_err(failed(FolderAction::Lock, &path))
    }

    /// The lock of this name, or `None` where somebody else has it.
    ///
    /// # Errors
    /// [`FolderAction::Lock`].
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, FolderError> {
        let path = self.file(name);
        let file = lock_file(&path).map_err(failed(FolderAction::Lock, &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(FolderAction::Lock, &path)(source)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file of this name is, or would be.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file's content; `None` where there is no such file.
    ///
    /// # Errors
    /// [`FolderAction::Read`].
    pub fn read(&self, name: &str) -> Result<Option<Kept>, FolderError> {
        let path = self.file(name);
        let read = || {
            let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
            Ok(Kept { content: fs::read(&path)?, mode })
        };
        match read() {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if io::Error::kind(&error) == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed(FolderAction::Read, &path)(source)),
        }
    }

    /// Puts a file there as a whole: written beside, flushed to the disk, renamed, and the folder
    /// flushed too, so that the rename itself survives a power cut.
    ///
    /// # Errors
    /// [`FolderAction::Write`]; what was there before is still there.
    pub fn write(&self, name: &str, content: &[u8], mode: u32) -> Result<(), FolderError> {
        let path = self.file(name);
        let beside = self.file(&format!("{name}{BESIDE}"));
        let write = || {
            remove_left_over(&beside)?;
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
            // The umask may have taken bits away.
            file.set_permissions(Permissions::from_mode(mode))?;
            hand_over(&self.path, &file)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            self.sync()
        };
        write().map_err(failed(FolderAction::Write, &path))
    }

    /// Sets who may do what with a file.
    ///
    /// # Errors
    /// [`FolderAction::Write`].
    pub fn set_mode(&self, name: &str, mode: u32) -> Result<(), FolderError> {
        let path = self.file(name);
        fs::set_permissions(&path, Permissions::from_mode(mode))
            .map_err(failed(FolderAction::Write, &path))
    }

    /// Removes a file. That there is none is fine.
    ///
    /// # Errors
    /// [`FolderAction::Write`].
    pub fn remove(&self, name: &str) -> Result<(), FolderError> {
        let path = self.file(name);
        let remove = || {
            remove_left_over(&path)?;
            self.sync()
        };
        remove().map_err(failed(FolderAction::Write, &path))
    }

    /// The names of the files in it, in order; not of what a process left that died while writing.
    ///
    /// # Errors
    /// [`FolderAction::Read`].
    pub fn names(&self) -> Result<Vec<String>, FolderError> {
        let list = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                let entry = entry?;
                if let (true, Ok(name)) =
                    (entry.file_type()?.is_file(), entry.file_name().into_string())
                    && !name.ends_with(BESIDE)
                {
                    names.push(name);
                }
            }
            names.sort_unstable();
            Ok(names)
        };
        list().map_err(failed(FolderAction::Read, &self.path))
    }

    /// Renames a file to `name.suffix`, or `name.suffix.2` and so on where that is taken. Returns
    /// the new path; `None` where there was no such file.
    ///
    /// # Errors
    /// [`FolderAction::Write`].
    pub fn move_aside(&self, name: &str, suffix: &str) -> Result<Option<PathBuf>, FolderError> {
        let path = self.file(name);
        let aside = self.free_name(&format!("{name}.{suffix}"));
        let rename = || {
            fs::rename(&path, &aside)?;
            self.sync()
        };
        match rename() {
            Ok(()) => Ok(Some(aside)),
            Err(error) if io::Error::kind(&error) == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed(FolderAction::Write, &path)(source)),
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

fn failed(action: FolderAction, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    move |source| FolderError { action, path: path.to_owned(), source }
}

fn make(parent: &Path, path: &Path) -> io::Result<()> {
    match fs::create_dir_all(parent) {
        // "File exists" is true, and of no help.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(no_folder(parent)),
        made => made?,
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
        Ok(()) => {
            // Not through a link that was put there meanwhile.
            let made = fs::symlink_metadata(path)?;
            return match heirs(parent, &made)? {
                Some((owner, group)) => unix::lchown(path, Some(owner), Some(group)),
                None => Ok(()),
            };
        }
    }
    let found = fs::metadata(path)?;
    if !found.is_dir() {
        return Err(no_folder(path));
    }
    // Somebody else's bits on a folder of keys are taken back.
    let mode = found.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(0o700)),
    }
}

fn no_folder(path: &Path) -> io::Error {
    io::Error::new(ErrorKind::NotADirectory, format!("`{}` is not a folder", path.display()))
}

fn lock_file(path: &Path) -> io::Result<File> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(file) => {
            path.parent().map_or(Ok(()), |folder| hand_over(folder, &file))?;
            Ok(file)
        }
        // Whatever is there is locked and otherwise left as it is, wherever a link leads.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let opened = OpenOptions::new().write(true).open(path);
            match opened {
                // What exists can be used from a disk that nobody may write to.
                Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => File::open(path),
                opened => opened,
            }
        }
        Err(error) => Err(error),
    }
}

/// Gives a file that root has just made to whom its folder belongs: a command that is run as root must
/// not leave files behind that the gateway's own user cannot read.
///
/// It is the open file that is given away, and never what has its name: whoever owns the folder could
/// put a link in its place, and would be given what that leads to.
fn hand_over(folder: &Path, file: &File) -> io::Result<()> {
    match heirs(folder, &file.metadata()?)? {
        Some((owner, group)) => unix::fchown(file, Some(owner), Some(group)),
        None => Ok(()),
    }
}

/// The owner and group that what root has made in a folder is to have, where they are not root.
fn heirs(folder: &Path, made: &fs::Metadata) -> io::Result<Option<(u32, u32)>> {
    let owner = fs::metadata(folder)?;
    let differ = made.uid() == 0 && owner.uid() != 0;
    Ok(differ.then(|| (owner.uid(), owner.gid())))
}

/// What a process wrote that died before its rename.
fn remove_left_over(beside: &Path) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
