//! What can go wrong with the storage.

use std::io;
use std::path::PathBuf;

use gateway_certs::{FolderAction, FolderError};

/// Why something could not be kept, or not be had back.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The folder cannot be made.
    #[error("the folder `{}` cannot be made ({source}). Give the gateway's user the right to write to the storage folder, or set `storage` in [server] to another.", path.display())]
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A lock file cannot be used.
    #[error("the lock file `{}` cannot be locked ({source}). Give the gateway's user the right to write to its folder, or set `storage` in [server] to a local disk.", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read ({source}). Make it the gateway's user's own.", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written, renamed or removed.
    #[error("`{}` cannot be written ({source}). Make room on its disk, and give the gateway's user the right to write to its folder.", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is to be kept has no form on disk.
    #[error(
        "`{name}` cannot be written down ({source}). This is a mistake in the gateway; please report it."
    )]
    Encode {
        /// What it would have been called.
        name: String,
        /// What the library said.
        source: serde_json::Error,
    },
}

impl From<FolderError> for StorageError {
    fn from(error: FolderError) -> Self {
        let FolderError { action, path, source } = error;
        match action {
            FolderAction::Make => Self::MakeFolder { path, source },
            FolderAction::Lock => Self::Lock { path, source },
            FolderAction::Read => Self::Read { path, source },
            FolderAction::Write => Self::Write { path, source },
        }
    }
}
