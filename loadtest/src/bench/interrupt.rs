//! Whatever was started ends with this program, also when that is interrupted.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What is left behind by a program that ends at once. Signals belong to the process, so this does.
static LEFT: Mutex<Left> = Mutex::new(Left { groups: Vec::new(), folders: Vec::new() });

#[derive(Debug)]
struct Left {
    groups: Vec<Pid>,
    folders: Vec<PathBuf>,
}

fn left() -> MutexGuard<'static, Left> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on SIGINT, SIGTERM and SIGHUP kill what was started, remove what was written, and end
/// the process with the status that shells give to it.
///
/// # Errors
/// The kernel's.
pub(crate) fn watch() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // Held to the end, so that nothing more is started.
            let left = left();
            left.groups.iter().for_each(|group| kill(*group));
            left.folders.iter().for_each(|folder| drop(std::fs::remove_dir_all(folder)));
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}

/// Asks a group to end.
pub(super) fn ask_to_end(group: Pid) {
    _ = kill_process_group(group, Signal::TERM);
}

/// A group that already ended is what was wanted.
pub(super) fn kill(group: Pid) {
    _ = kill_process_group(group, Signal::KILL);
}

/// Starts something that is killed on a signal; no signal comes between its start and its being known.
pub(super) fn start<E>(
    start: impl FnOnce() -> Result<(std::process::Child, Pid), E>,
) -> Result<(std::process::Child, Pid), E> {
    let mut left = left();
    let (child, group) = start()?;
    left.groups.push(group);
    Ok((child, group))
}

pub(super) fn ended(group: Pid) {
    left().groups.retain(|other| *other != group);
}

pub(super) fn made(folder: &Path) {
    left().folders.push(folder.to_owned());
}
