//! The servers that are compared, each set up to do the same work.

mod caddy;
mod config;
mod gateway;
mod haproxy;
mod nginx;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bench::certificate::{Certificate, NAME};
use crate::bench::error::Error;
use crate::bench::first_answer::Asker;
use crate::bench::ground::{Ground, free_addresses};
use crate::bench::server::{Server, Start, write_files};

/// How long a server may take to its first answer.
const START: Duration = Duration::from_secs(20);

/// A server by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    /// Ours.
    Gateway,
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Caddy.
    Caddy,
}

impl Name {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Gateway, Self::Nginx, Self::Haproxy, Self::Caddy];

    /// As its makers write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Caddy => "Caddy",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
        }
    }

    /// Where its work is more or less than that of the others, and cannot be made equal.
    #[must_use]
    pub fn notes(self) -> &'static [&'static str] {
        match self {
            Self::Gateway => gateway::NOTES,
            Self::Nginx => nginx::NOTES,
            Self::Haproxy => haproxy::NOTES,
            Self::Caddy => caddy::NOTES,
        }
    }

    fn asks_version(self) -> &'static str {
        match self {
            Self::Gateway => "--version",
            Self::Nginx | Self::Haproxy => "-v",
            Self::Caddy => "version",
        }
    }

    fn files(self, place: &Place<'_>) -> Vec<(&'static str, String)> {
        match self {
            Self::Gateway => gateway::files(place),
            Self::Nginx => nginx::files(place),
            Self::Haproxy => haproxy::files(place),
            Self::Caddy => caddy::files(place),
        }
    }

    fn arguments(self, command: &mut Command) {
        match self {
            Self::Gateway => gateway::arguments(command),
            Self::Nginx => nginx::arguments(command),
            Self::Haproxy => haproxy::arguments(command),
            Self::Caddy => caddy::arguments(command),
        }
    }
}

/// A server that is installed.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) name: Name,
    pub(crate) version: String,
    pub(crate) program: PathBuf,
}

impl Peer {
    /// The gateway, built here or named.
    ///
    /// # Errors
    /// [`Error::NoGateway`], [`Error::NotAProgram`].
    pub(crate) fn gateway(named: Option<&Path>) -> Result<Self, Error> {
        let tried: Vec<PathBuf> = match named {
            Some(path) => vec![path.to_owned()],
            None => ["target/dist/gateway", "target/release/gateway"].map(PathBuf::from).to_vec(),
        };
        let Some(found) = tried.iter().find(|path| path.is_file()) else {
            return Err(Error::NoGateway { tried });
        };
        // It is started in another folder.
        let program = std::path::absolute(found).map_err(Error::own("the working folder"))?;
        Self::at(Name::Gateway, program)
    }

    /// The others that are installed here: on the path, or where Debian puts servers.
    ///
    /// # Errors
    /// [`Error::NoPeer`], [`Error::NotAProgram`].
    pub(crate) fn installed() -> Result<Vec<Self>, Error> {
        let others = Name::ALL.into_iter().filter(|name| *name != Name::Gateway);
        let found: Result<Vec<_>, _> = others
            .filter_map(|name| find(name.program()).map(|program| Self::at(name, program)))
            .collect();
        found.and_then(|found| if found.is_empty() { Err(Error::NoPeer) } else { Ok(found) })
    }

    fn at(name: Name, program: PathBuf) -> Result<Self, Error> {
        let output = Command::new(&program).arg(name.asks_version()).stdin(Stdio::null()).output();
        match output {
            Ok(output) => {
                // nginx says it on stderr.
                let said = [output.stdout, output.stderr].concat();
                let version = version_in(&String::from_utf8_lossy(&said));
                Ok(Self { name, version, program })
            }
            Err(source) => Err(Error::NotAProgram { name: name.as_str(), path: program, source }),
        }
    }

    /// Starts it before the ground's origin and waits for its first answer.
    ///
    /// # Errors
    /// It does not run, or does not answer.
    pub(crate) fn start(&self, ground: &Ground, asker: &Asker) -> Result<Server, Error> {
        let folder = ground.folder.inner(self.name.program())?;
        let [https, admin] = free_addresses()?;
        let place = Place {
            https,
            admin,
            origin: ground.origin,
            sink: ground.sink,
            certificate: &ground.certificate,
        };
        write_files(&folder, &self.name.files(&place))?;
        let mut command = Command::new(&self.program);
        self.name.arguments(&mut command);
        let start = Start {
            name: self.name.as_str(),
            command,
            folder: &folder,
            cores: &ground.cores.server,
            address: https,
            limit: START,
        };
        Server::start(start, asker)
    }
}

/// Writes the files of all servers, each in a folder of its own, with a certificate beside them and
/// an origin at 127.0.0.1:9000.
///
/// # Errors
/// They cannot be written.
pub(super) fn print_all(folder: &Path) -> Result<(), Error> {
    let folder = std::path::absolute(folder).map_err(Error::own("the working folder"))?;
    let cannot = |path: &Path| Error::own(format!("cannot write to {}", path.display()));
    std::fs::create_dir_all(&folder).map_err(cannot(&folder))?;
    let certificate = Certificate::make(&folder, &[NAME]).map_err(cannot(&folder))?;
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    for (name, number) in Name::ALL.into_iter().zip(0..) {
        let (https, admin) = (local(8443 + number), local(9180 + number));
        let (origin, sink) = (local(9000), local(9001));
        let inner = folder.join(name.program());
        std::fs::create_dir_all(&inner).map_err(cannot(&inner))?;
        let place = Place { https, admin, origin, sink, certificate: &certificate };
        write_files(&inner, &name.files(&place))?;
    }
    Ok(())
}

/// Where a server stands.
pub(crate) struct Place<'g> {
    https: SocketAddr,
    /// Metrics.
    admin: SocketAddr,
    origin: SocketAddr,
    /// Where logs may be sent.
    sink: SocketAddr,
    certificate: &'g Certificate,
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let folders = std::env::split_paths(&path).chain(servers);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The first word that begins with a digit, perhaps behind a slash or a `v`.
fn version_in(said: &str) -> String {
    let words = said.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let mut words = words.map(|word| word.trim_start_matches('v'));
    let version = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    version.unwrap_or("unknown version").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_each_says() {
        for (said, version) in [
            ("gateway 0.1.0\n", "0.1.0"),
            ("nginx version: nginx/1.22.1\n", "1.22.1"),
            (
                "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/",
                "2.6.12-1+deb12u4",
            ),
            ("2.6.2\n", "2.6.2"),
            ("v2.11.0 h1:abc=\n", "2.11.0"),
            ("", "unknown version"),
        ] {
            assert_eq!(version_in(said), version);
        }
    }
}
