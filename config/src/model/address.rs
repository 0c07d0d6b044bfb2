//! Addresses that look alike and must not be mixed up.

use std::fmt;
use std::net::SocketAddr;

use http::HeaderName;
use ipnet::IpNet;

/// An address that the gateway listens on. Port 0 asks the system for a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenAddr(pub SocketAddr);

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The peers that are believed about the client's address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// In the order of the file. The first whose networks hold the peer decides.
    pub sources: Vec<ProxySource>,
}

/// One trusted source: the networks it connects from and the header in which it names the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySource {
    /// As written in the file: `cloudflare`, or a CIDR block.
    pub name: String,
    /// The networks that its connections come from.
    pub networks: Vec<IpNet>,
    /// A header that holds exactly the client's address (`CF-Connecting-IP`), set by this provider
    /// on every request. `None`: the address is read from `X-Forwarded-For`, right to left.
    pub header: Option<HeaderName>,
}
