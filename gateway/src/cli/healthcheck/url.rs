//! Plain http URLs.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use gateway_config::model::Host;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};

/// Who is asked.
#[derive(Debug, Clone)]
pub(crate) enum Server {
    Address(IpAddr),
    Name(Host),
}

/// A plain http URL.
#[derive(Debug, Clone)]
pub(crate) struct HttpUrl {
    pub(super) server: Server,
    pub(super) port: u16,
    /// Host and port as they are sent.
    pub(super) authority: String,
    /// Path and query.
    pub(super) target: String,
}

impl HttpUrl {
    /// A path at an address.
    pub(crate) fn of(address: SocketAddr, path: &str) -> Self {
        Self {
            server: Server::Address(address.ip()),
            port: address.port(),
            authority: address.to_string(),
            target: path.to_owned(),
        }
    }
}

impl FromStr for HttpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("it is not a URL ({error})"))?;
        if uri.scheme() == Some(&Scheme::HTTPS) {
            return Err("only plain http is asked: name the admin listener's /readyz, or /healthz of a listener of `http`".into());
        }
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err("it does not begin with http://".into());
        }
        let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
        let (host, port) = Host::parse_authority(authority)
            .map_err(|error| format!("`{authority}` is not a host: {error}"))?;
        Ok(Self {
            server: host.ip().map_or(Server::Name(host), Server::Address),
            port: port.unwrap_or(80),
            authority: authority.to_owned(),
            target: uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned(),
        })
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.target)
    }
}
