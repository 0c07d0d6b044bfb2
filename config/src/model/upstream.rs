//! Where requests are passed to.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Host;

/// A named upstream, or a bare address that a route gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The name in `[upstream.NAME]`, or the address as the route wrote it. A label in log and
    /// metrics.
    pub name: String,
    /// The servers, in the order of the file; at least one. Requests go to them in turn.
    pub servers: Vec<Endpoint>,
    /// What is spoken to them; the same for all of one upstream.
    pub protocol: Protocol,
    /// How long a connection may take to be made, TLS included.
    pub connect: Duration,
    /// How long the first byte of the answer may take after the request was sent.
    pub first_byte: Duration,
    /// Whether connections begin with the PROXY protocol.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// A PEM file of roots to trust for `https://` instead of the system's.
    pub ca: Option<PathBuf>,
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
