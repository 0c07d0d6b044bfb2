//! The ground that servers are measured on: a folder, a certificate, free ports, the origin.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::certificate::Certificate;
use super::cores::Cores;
use super::error::Error;
use super::interrupt;
use super::process::Process;

/// A folder that goes away when it is dropped, and on a signal.
#[derive(Debug)]
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// # Errors
    /// There is no place for it.
    pub(crate) fn make() -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix("loadtest-").tempdir();
        let folder = folder.map_err(Error::own("cannot make a folder"))?;
        interrupt::made(folder.path());
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A folder in it.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn inner(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path)
            .map_err(Error::own(format!("cannot make {}", path.display())))?;
        Ok(path)
    }
}

/// Addresses of loopback that nobody listens on. They are all asked for before one is given back, so
/// that no two are the same.
///
/// # Errors
/// There are none left.
pub(crate) fn free_addresses<const N: usize>() -> Result<[SocketAddr; N], Error> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held: Result<Vec<_>, _> = (0..N).map(bind).collect();
    let addresses = held.and_then(|held| held.iter().map(TcpListener::local_addr).collect());
    let addresses: Vec<_> = addresses.map_err(Error::own("no free port on 127.0.0.1"))?;
    addresses
        .try_into()
        .map_err(|_| Error::own("free ports")(std::io::ErrorKind::Unsupported.into()))
}

/// What all servers stand on.
#[derive(Debug)]
pub(crate) struct Ground {
    // Dropped in this order: first who uses the folder, then the folder.
    _origin: Process,
    pub(crate) origin: SocketAddr,
    pub(crate) sink: SocketAddr,
    pub(crate) certificate: Certificate,
    pub(crate) cores: Cores,
    pub(crate) folder: Folder,
}

impl Ground {
    /// Makes the certificate for `names` and starts the origin on the client's cores.
    ///
    /// # Errors
    /// The folder, the certificate or the origin could not be made.
    pub(crate) fn prepare(cores: Cores, names: &[&str]) -> Result<Self, Error> {
        let folder = Folder::make()?;
        let certificate = Certificate::make(folder.path(), names)
            .map_err(Error::own("cannot write the certificate"))?;
        let (process, origin, sink) = start_origin(&cores, &folder.inner("origin")?)?;
        Ok(Self { _origin: process, origin, sink, certificate, cores, folder })
    }
}

fn start_origin(cores: &Cores, folder: &Path) -> Result<(Process, SocketAddr, SocketAddr), Error> {
    let own = |source| Error::own("the origin cannot be started")(source);
    let mut command = Command::new(std::env::current_exe().map_err(own)?);
    command.args(["origin", "--listen", "127.0.0.1:0", "--sink", "127.0.0.1:0"]);
    let mut process =
        Process::start(command, &cores.client, folder, Stdio::piped()).map_err(own)?;
    let stdout = process.take_stdout().map(BufReader::new);
    let mut lines = stdout.into_iter().flat_map(BufReader::lines).map_while(Result::ok);
    let mut address = || lines.next().and_then(|line| line.rsplit(' ').next()?.parse().ok());
    match (address(), address()) {
        (Some(origin), Some(sink)) => Ok((process, origin, sink)),
        _ => Err(own(std::io::Error::other(process.last_words()))),
    }
}
