//! How an upstream's servers share its requests, and which of them get any.

use std::num::NonZeroU32;
use std::time::Duration;

use http::{HeaderName, StatusCode};

use super::Host;

/// Which server a request goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Balance {
    /// One after the other, in proportion to their weights.
    RoundRobin,
    /// The one with the fewest requests under way for its weight.
    LeastConnections,
    /// Always the same one for the same key, as long as it is there.
    Hash(HashKey),
    /// The one that the cookie of this name says.
    Sticky(String),
}

/// What is the same in requests that go to the same server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address, IPv6 by its /64.
    ClientIp,
    /// The path, without the query.
    Path,
    /// The value of a request header.
    Header(HeaderName),
    /// The value of a cookie.
    Cookie(String),
}

/// When a server that requests fail on is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fail {
    /// So many failures in a row.
    pub max: NonZeroU32,
    /// The time in which they must fall, and for which the server is left out then.
    pub within: Duration,
}

/// How servers are asked whether they are well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What is asked.
    pub check: HealthCheck,
    /// The time between two checks of a server, give or take a tenth.
    pub every: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// So many failed checks in a row make a server unhealthy.
    pub unhealthy_after: NonZeroU32,
    /// So many passed checks in a row make it healthy again.
    pub healthy_after: NonZeroU32,
}

/// What a health check asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthCheck {
    /// Whether a connection can be made.
    Tcp,
    /// What a GET is answered with.
    Http {
        /// Path and query.
        path: String,
        /// The `Host` that is asked for, where it is not the server itself.
        host: Option<Host>,
        /// The statuses of a healthy server; empty for every 2xx.
        status: Vec<StatusCode>,
    },
}

/// Requests that wait until a server has room for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// How many may wait at once.
    pub max: NonZeroU32,
    /// How long each may wait.
    pub wait: Duration,
}
