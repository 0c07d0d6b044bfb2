//! Where requests are passed to.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::{Balance, CertificateFiles, Fail, Health, Host, Queue};

/// A named upstream, or a bare address that a route gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The name in `[upstream.NAME]`, or the address as the route wrote it. A label in log and
    /// metrics.
    pub name: String,
    /// The servers, in the order of the file; at least one that is no backup.
    pub servers: Vec<Server>,
    /// What is spoken to them; the same for all of one upstream.
    pub protocol: Protocol,
    /// How long a connection may take to be made, TLS included.
    pub connect: Duration,
    /// How long the first byte of the answer may take after the request was sent.
    pub first_byte: Duration,
    /// Whether connections begin with the PROXY protocol.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Which server a request goes to.
    pub balance: Balance,
    /// How often a request may be tried once more, where that is safe.
    pub retries: u32,
    /// When a server that requests fail on is left out; `None`: never.
    pub fail: Option<Fail>,
    /// How servers are asked whether they are well; `None`: they are not.
    pub health: Option<Health>,
    /// How long it takes until a server that is back has its whole share of requests.
    pub slow_start: Option<Duration>,
    /// How many requests one server may have at once.
    pub max_requests: Option<NonZeroU32>,
    /// Where requests wait that no server has room for; `None`: they are refused.
    pub queue: Option<Queue>,
    /// A PEM file of roots to trust for `https://` instead of the system's.
    pub ca: Option<PathBuf>,
    /// The name that is asked for by SNI, and that certificates must be valid for, instead of the
    /// server's own.
    pub sni: Option<Host>,
    /// The certificate that the gateway shows to `https://` servers.
    pub client_cert: Option<CertificateFiles>,
}

/// One of an upstream's servers, as the file lists it. A name may stand for several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Its share of requests in proportion to the others'.
    pub weight: NonZeroU32,
    /// Whether it is asked only while no other can be.
    pub backup: bool,
}

impl Server {
    /// The server at `endpoint`, like any other.
    #[must_use]
    pub fn at(endpoint: Endpoint) -> Self {
        Self { endpoint, weight: NonZeroU32::MIN, backup: false }
    }
}

impl fmt::Display for Server {
    /// The endpoint, and what is not as with any other server.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.fmt(f)?;
        if self.weight > NonZeroU32::MIN {
            write!(f, " (weight {})", self.weight)?;
        }
        if self.backup { f.write_str(" (backup)") } else { Ok(()) }
    }
}

/// What is spoken to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/1.1 over TLS, the certificate verified against the server's name.
    Https,
    /// HTTP/2 in the clear, without asking for it first ("prior knowledge", RFC 9113 section 3.3).
    H2c,
}

/// A version of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// One server of an upstream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// An address and port; never resolved.
    Addr(SocketAddr),
    /// A name that is resolved again and again, and a port.
    Name {
        /// The name.
        host: Host,
        /// The port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addr(addr) => addr.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
