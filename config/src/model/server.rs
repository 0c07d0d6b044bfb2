//! What belongs to the process.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::{ListenAddr, TrustedProxies};

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Plain listeners: `/healthz`, and a redirect to https for everything else.
    pub http: Vec<ListenAddr>,
    /// TLS listeners.
    pub https: Vec<ListenAddr>,
    /// The admin listener: `/livez`, `/readyz`, `/metrics`. `None` where the file says `"off"`.
    pub admin: Option<ListenAddr>,
    /// Who is believed about the client's address.
    pub trusted_proxies: TrustedProxies,
    /// What a client gets that asks for a host of no site.
    pub unknown_host: UnknownHost,
    /// The folder for everything that is kept: the local CA now, certificates later.
    pub storage: PathBuf,
    /// How many worker threads; one for each core where `None`.
    pub workers: Option<NonZeroUsize>,
    /// Caps on connections.
    pub connections: Connections,
    /// How long a client may take for what.
    pub timeouts: Timeouts,
    /// How long requests may go on after a stop was asked for.
    pub drain: Duration,
    /// The access log's format.
    pub access_log: AccessLog,
    /// DNS servers that resolve the names of upstreams; those of the system where empty.
    pub dns: Vec<SocketAddr>,
}

/// What a client gets that asks for a host of no site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownHost {
    /// Nothing: the handshake fails with `unrecognized_name`, a plain connection is closed.
    Close,
    /// 421 Misdirected Request (plain listener: an unknown SNI always fails the handshake).
    Misdirected,
    /// 404 Not Found (plain listener: an unknown SNI always fails the handshake).
    NotFound,
}

/// Caps on connections from clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// In all.
    pub total: NonZeroUsize,
    /// From one address (IPv6: one /64). Trusted proxies are not counted.
    pub per_client: NonZeroUsize,
}

/// How long a client may take for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The TLS handshake, from accept to its end.
    pub handshake: Duration,
    /// A request's head, from its first byte to its last.
    pub header: Duration,
    /// The silence between two requests of one connection.
    pub keepalive: Duration,
}

/// The access log's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLog {
    /// One JSON object a line.
    Json,
    /// The combined format of Apache and nginx.
    Combined,
    /// None.
    Off,
}
