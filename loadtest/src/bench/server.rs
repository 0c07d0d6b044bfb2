//! A server that is measured: started, and answering.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::cores::CoreList;
use super::error::Error;
use super::first_answer::Asker;
use super::process::Process;

/// A server that answers.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// From its start to its first answer.
    pub(crate) ready_after: Duration,
}

/// How a server is started.
pub(crate) struct Start<'s> {
    pub(crate) name: &'static str,
    pub(crate) command: Command,
    /// Its working folder; what it says on stdout, such as an access log, stands there in a file.
    pub(crate) folder: &'s Path,
    pub(crate) cores: &'s CoreList,
    /// Where it is going to listen.
    pub(crate) address: SocketAddr,
    /// How long it may take to its first answer.
    pub(crate) limit: Duration,
}

impl Server {
    /// Starts it and waits for its first answer.
    ///
    /// # Errors
    /// It does not run, or does not answer.
    pub(crate) fn start(start: Start<'_>, asker: &Asker) -> Result<Self, Error> {
        let Start { name, command, folder, cores, address, limit } = start;
        let own = |source| Error::own(format!("{name} cannot be started"))(source);
        let stdout = std::fs::File::create(folder.join("stdout")).map_err(own)?;
        let began = Instant::now();
        let mut process = Process::start(command, cores, folder, stdout.into()).map_err(own)?;
        let ready_after = asker.until_answered(name, &mut process, address, began, limit)?;
        Ok(Self { process, address, ready_after })
    }
}

/// Writes a server's files.
///
/// # Errors
/// They cannot be written.
pub(crate) fn write_files(folder: &Path, files: &[(&str, String)]) -> Result<(), Error> {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .map_err(Error::own(format!("cannot write {}", path.display())))?;
    }
    Ok(())
}
