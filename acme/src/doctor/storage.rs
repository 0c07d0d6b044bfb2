//! The storage folder: whether it can be used, and whether a gateway uses it. Nothing is written.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::finding::{Check, Finding};
use super::token::{KEY, Password};
use crate::storage::{Disk, Storage};

/// Keys, chains and ledger of a thousand certificates take less, in MiB.
const ENOUGH: u64 = 16;

pub(super) enum Seen {
    NoFolder { path: String },
    Unwritable { path: String, reason: String },
    ToBeMade { path: String },
    Full { path: String, free: u64 },
    Fine { path: String, free: u64 },
    Runs,
    NoneRuns,
    LockUnknown { path: String, reason: String },
    NoPassword { path: String },
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        let check = Check::Storage;
        let rights = "Give the gateway's user the right to write there, or set `storage` in [server] to another folder.";
        match seen {
            Seen::NoFolder { path } => Self::problem(
                check,
                format!("Nothing can be kept: `{path}` is not a folder."),
                "Take it out of the way, or set `storage` in [server] to another folder.",
            ),
            Seen::Unwritable { path, reason } => Self::problem(
                check,
                format!("Nothing can be kept: `{path}` cannot be written to ({reason})."),
                rights,
            ),
            Seen::ToBeMade { path } => {
                Self::ok(check, format!("`{path}` is not there yet, and can be made."))
            }
            Seen::Full { path, free } => Self::problem(
                check,
                format!("There is too little room at `{path}`: {free} MiB."),
                format!("Make room on its disk, {ENOUGH} MiB at least."),
            ),
            Seen::Fine { path, free } => {
                Self::ok(check, format!("`{path}` can be written to, with {free} MiB of room."))
            }
            Seen::Runs => Self::ok(
                check,
                "A running gateway looks after the certificates in this storage.".to_owned(),
            ),
            Seen::NoneRuns => Self::warning(
                check,
                "No gateway runs with this storage, so nobody asks for certificates.".to_owned(),
                "Start it: `gateway run`. If one runs, it has another configuration: give its file with --config.",
            ),
            Seen::LockUnknown { path, reason } => Self::warning(
                check,
                format!(
                    "Whether a gateway runs cannot be seen: `{path}` cannot be read ({reason})."
                ),
                "Call this as the gateway's user.",
            ),
            Seen::NoPassword { path } => Self::warning(
                check,
                format!("The running gateway cannot be recognised: `{path}` cannot be read."),
                "Call this as the gateway's user; a gateway of an older version has to be restarted with this one.",
            ),
        }
    }
}

/// What is known about the gateway that runs with this storage.
#[derive(Debug)]
pub(super) enum Running {
    /// One runs, and can be recognised where the password could be read.
    Yes(Option<Password>),
    No,
    Unknown,
}

pub(super) fn check(storage: &Path) -> (Running, Vec<Finding>) {
    let disk = Disk::existing(storage);
    let (running, about_lock) = lock(&disk);
    let seen = [Some(folder(disk.path())), about_lock];
    (running, seen.into_iter().flatten().map(Finding::from).collect())
}

/// The folder, or what of the way to it exists: what is missing is made at start.
fn folder(folder: &Path) -> Seen {
    let exists = |path: &&Path| path.symlink_metadata().is_ok() || path.as_os_str().is_empty();
    let nearest = folder.ancestors().find(exists).unwrap_or(folder);
    let nearest = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
    let path = nearest.display().to_string();
    if !nearest.is_dir() {
        return Seen::NoFolder { path };
    }
    if let Err(error) = access(nearest, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        return Seen::Unwritable { path, reason: io::Error::from(error).to_string() };
    }
    let free = match statvfs(nearest) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize) / (1024 * 1024),
        Err(error) => {
            return Seen::Unwritable { path, reason: io::Error::from(error).to_string() };
        }
    };
    match (nearest == folder, free < ENOUGH) {
        (_, true) => Seen::Full { path, free },
        (false, _) => Seen::ToBeMade { path: folder.display().to_string() },
        (true, _) => Seen::Fine { path, free },
    }
}

/// Whether somebody holds the keeper's lock. The file is only read, so that it is never made by the
/// wrong user; holding it for this moment delays nobody but a gateway that starts in it.
fn lock(disk: &Disk) -> (Running, Option<Seen>) {
    let path = disk.path().join("keeper.lock");
    let unknown = |error: io::Error| {
        let (path, reason) = (path.display().to_string(), error.to_string());
        (Running::Unknown, Some(Seen::LockUnknown { path, reason }))
    };
    let missing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    match File::open(&path) {
        Err(error) if missing.contains(&error.kind()) => (Running::No, Some(Seen::NoneRuns)),
        Err(error) => unknown(error),
        Ok(file) => match file.try_lock() {
            Ok(()) => (Running::No, Some(Seen::NoneRuns)),
            Err(TryLockError::WouldBlock) => running(disk),
            Err(TryLockError::Error(error)) => unknown(error),
        },
    }
}

fn running(disk: &Disk) -> (Running, Option<Seen>) {
    let kept = disk.load(KEY).ok().flatten();
    let password = kept.and_then(|kept| Password::read(&kept));
    let seen = match password {
        Some(_) => Seen::Runs,
        None => Seen::NoPassword { path: disk.path().join(KEY).display().to_string() },
    };
    (Running::Yes(password), Some(seen))
}
