//! What can go wrong with the local CA, and what it has to say.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use thiserror::Error;

use crate::folder::{FolderAction, FolderError};
use crate::timestamp::Timestamp;

/// Why the local CA could not be opened.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The folder cannot be made.
    #[error("the local CA's folder `{}` cannot be made ({source}). Give the gateway's user the right to write to the storage folder, or set `storage` in [server] to another.", path.display())]
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The lock that keeps two processes from making two CAs.
    #[error("the local CA's lock file `{}` cannot be locked ({source}). Give the gateway's user the right to write to its folder, or set `storage` in [server] to a local disk.", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there and cannot be read.
    #[error("the local CA's file `{}` cannot be read ({source}). Make it a file of the gateway's user.", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written, renamed, or given its permissions.
    #[error("the local CA's file `{}` cannot be written ({source}). Make room on its disk, and give the gateway's user the right to write to its folder.", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The cryptography library makes no key or no certificate.
    #[error("the local CA in `{}` cannot be made ({source}). This is not about a file: start the gateway again, and report it if it stays.", path.display())]
    Make {
        /// The CA's folder.
        path: PathBuf,
        /// What the library said.
        source: Box<dyn Error + Send + Sync>,
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

/// Why the local CA issued no certificate.
#[derive(Debug, Error)]
pub enum IssueError {
    /// Only `*`, or nothing.
    #[error(
        "the local CA was asked for a certificate without a name. Give the site a name besides `*`."
    )]
    NoNames,
    /// A name that no certificate can carry.
    #[error(
        "the local CA cannot put `{name}` into a certificate ({source}). Write international names as A-labels (`xn--…`)."
    )]
    Name {
        /// The name.
        name: String,
        /// What the library said.
        source: rcgen::Error,
    },
    /// The cryptography library makes no key or no certificate.
    #[error(
        "the local CA cannot make a certificate ({0}). Start the gateway again, and report it if it stays."
    )]
    Make(#[source] rcgen::Error),
    /// The key that was just made is refused.
    #[error(
        "the key of a certificate that the local CA made cannot be used ({0}). Start the gateway again, and report it if it stays."
    )]
    Key(#[source] rustls::Error),
    /// The certificate that was just made cannot be read.
    #[error(
        "a certificate that the local CA made cannot be read ({0}). Start the gateway again, and report it if it stays."
    )]
    ReadBack(#[source] Box<dyn Error + Send + Sync>),
    /// No random numbers.
    #[error(
        "the system gave no random numbers for a certificate's serial number. Start the gateway again, and report it if it stays."
    )]
    Random(#[source] rustls::Error),
}

/// What opening the local CA came upon and did about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Note {
    /// The root, or root and key, were made again.
    #[error("{reason} A new {} was made. {}{}", made(*.reason), trust(*.reason), aside_sentence(.aside))]
    Remade {
        /// Why.
        reason: Remade,
        /// Where the former files are now.
        aside: Vec<PathBuf>,
    },
    /// The key could be read by others.
    #[error("the local CA's key `{}` could be read by other users of this machine (mode {mode:04o}); it has mode 0600 now. If one of them is not to be trusted, remove the folder `local-ca` and start again.", path.display())]
    KeyWasExposed {
        /// The key file.
        path: PathBuf,
        /// The permission bits that it had.
        mode: u32,
    },
    /// The clock is behind.
    #[error("the local CA's root is not valid before {}, and it is {} now. Check this machine's clock: until then clients refuse the certificates.", Timestamp(*.not_before), Timestamp(*.now))]
    NotYetValid {
        /// When the root begins to be valid.
        not_before: SystemTime,
        /// The time it was checked against.
        now: SystemTime,
    },
}

/// Why the root was made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Remade {
    /// `root.key` is no private key.
    #[error("the local CA's key was damaged.")]
    KeyDamaged,
    /// `root.crt` is there, `root.key` is not.
    #[error("the local CA's key was missing.")]
    KeyMissing,
    /// `root.crt` is no certificate of an authority with this key.
    #[error("the local CA's root certificate was damaged.")]
    RootDamaged,
    /// `root.key` is there, `root.crt` is not.
    #[error("the local CA's root certificate was missing.")]
    RootMissing,
    /// The root's ten years are over.
    #[error("the local CA's root certificate had expired.")]
    RootExpired,
}

impl Remade {
    /// Whether the key was kept, so that whoever trusts the former root trusts the new one too: a
    /// chain is built by the root's name and key, and both are the same.
    #[must_use]
    pub fn keeps_key(self) -> bool {
        matches!(self, Self::RootDamaged | Self::RootMissing)
    }
}

fn made(reason: Remade) -> &'static str {
    match reason.keeps_key() {
        true => "root certificate for the same key",
        false => "CA",
    }
}

fn trust(reason: Remade) -> &'static str {
    match reason.keeps_key() {
        true => "Clients that trust the former one need do nothing.",
        false => "Every client has to trust it anew.",
    }
}

fn aside_sentence(aside: &[PathBuf]) -> String {
    let names: Vec<_> = aside.iter().map(|path| format!("`{}`", path.display())).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" Kept aside: {}.", names.join(", ")),
    }
}
