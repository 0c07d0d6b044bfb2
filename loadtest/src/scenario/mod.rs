//! What a scenario asks for: TOML in, checked domain types out. Nothing behind this module checks
//! again what these types say.

mod expect;
mod load;
mod path;
mod problem;
mod read;
mod schedule;
mod suggest;
mod target;
pub(crate) mod text;

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName};

pub use load::{LoadError, load};
pub use problem::Problems;
pub use read::Overrides;
pub use text::{Rate, parse_duration, parse_rate};

pub(crate) use expect::{Expect, Seen, Unexpected};
pub(crate) use path::{Path, Piece};
pub(crate) use schedule::Schedule;
pub(crate) use target::{Host, Target};

#[cfg(test)]
pub(crate) use load::read_text;

/// A scenario without a mistake.
#[derive(Debug)]
pub struct Scenario {
    pub(crate) name: String,
    pub(crate) target: Target,
    /// The hosts besides loopback that it may aim at, in lower case.
    pub(crate) hosts: Vec<String>,
    pub(crate) protocol: Protocol,
    pub(crate) load: Load,
    pub(crate) connections: u32,
    /// Not counted, before `duration`.
    pub(crate) warmup: Duration,
    pub(crate) duration: Duration,
    pub(crate) timeout: Duration,
    pub(crate) seed: u64,
    /// `None` for as many as a connection takes.
    pub(crate) requests_per_connection: Option<NonZeroU64>,
    /// The addresses to connect from, in turn; empty for whatever the system chooses.
    pub(crate) sources: Vec<IpAddr>,
    /// For `https://` targets, and for these only.
    pub(crate) tls: Option<Tls>,
    /// Never empty.
    pub(crate) requests: Vec<Request>,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1, one request at a time on a connection.
    Http1,
    /// HTTP/2, so many requests at a time on a connection.
    Http2 { streams: u32 },
    /// WebSocket: the first request's path is upgraded, and its body is the message.
    WebSocket,
}

/// When requests are made.
#[derive(Debug)]
pub(crate) enum Load {
    /// When the last one's answer is there, and the pause behind it is over.
    Closed { think: Duration },
    /// When they are due, whatever the answers do.
    Open(Schedule),
    /// Once on each connection, which is then held.
    Idle,
}

/// How `https://` targets are spoken to.
#[derive(Debug)]
pub(crate) struct Tls {
    /// `None` for the system's roots.
    pub(crate) roots: Option<Vec<CertificateDer<'static>>>,
    pub(crate) server_name: ServerName<'static>,
    pub(crate) resumption: bool,
    pub(crate) verify: bool,
}

/// One of the requests that a scenario mixes.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) weight: u32,
    pub(crate) method: http::Method,
    pub(crate) path: Path,
    /// The value of `Host` and of `:authority`.
    pub(crate) authority: String,
    /// The others, in the order of the file.
    pub(crate) headers: Vec<(http::HeaderName, http::HeaderValue)>,
    pub(crate) body: Arc<[u8]>,
    pub(crate) expect: Expect,
}

impl Protocol {
    /// As the scenario writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "h1",
            Self::Http2 { .. } => "h2",
            Self::WebSocket => "ws",
        }
    }

    /// Requests at a time on a connection.
    pub(crate) fn streams(self) -> u32 {
        match self {
            Self::Http2 { streams } => streams,
            Self::Http1 | Self::WebSocket => 1,
        }
    }
}

impl Load {
    /// As the scenario writes it.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open(_) => "open",
            Self::Idle => "idle",
        }
    }
}

impl std::fmt::Display for Scenario {
    /// What will happen, in a line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { protocol, load, connections, duration, target, .. } = self;
        write!(f, "{} {} loop, {connections} connections", protocol.as_str(), load.as_str())?;
        if let Protocol::Http2 { streams } = protocol {
            write!(f, " of {streams} streams")?;
        }
        write!(f, ", {}, {target}", text::format_duration(*duration))
    }
}
