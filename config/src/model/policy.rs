//! What may stand on the server, a site or a route, merged down to the route.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::ResponseHeaders;

/// Everything that is decided about a request of one route besides where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Who may come in. One entry for each level that said something; all must agree.
    pub access: Vec<Access>,
    /// Paths that are refused whatever the route.
    pub deny_paths: DenyPaths,
    /// Limits that a request must pass, all of them. The nearest level that names any decides.
    pub limits: Vec<Arc<Limit>>,
    /// The largest request body, in bytes.
    pub body: u64,
    /// How long a connection may stay silent in the middle of a body, a stream or a WebSocket.
    /// `None`: not set, the gateway's defaults for each kind apply.
    pub idle: Option<Duration>,
    /// Response headers.
    pub headers: ResponseHeaders,
    /// Whether requests are written to the access log.
    pub log: bool,
}

/// `allow` and `deny` of one level. `deny` is asked first; then, if `allow` is not empty, the client
/// must be in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Only these, where it is not empty.
    pub allow: Vec<IpNet>,
    /// Never these.
    pub deny: Vec<IpNet>,
}

/// Paths that are refused on every route, compared with the decoded and normalised path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyPaths {
    /// Refuse every path with a segment that begins with a dot, but for `/.well-known`.
    pub dotfiles: bool,
    /// Refuse paths whose last segment ends so (`.env`, `.sql`), in lower case; compared without
    /// regard to case.
    pub suffixes: Vec<String>,
}

/// A named rate limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The name in `[limit.NAME]`.
    pub name: String,
    /// The rate at which allowance comes back.
    pub rate: Rate,
    /// How many requests are served at once before the rate counts. Never smaller than 1.
    pub burst: NonZeroU32,
    /// What requests are counted together.
    pub key: LimitKey,
}

/// So many in so long: `10/s` is ten in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long: one second, minute, hour or day.
    pub per: Duration,
}

/// What requests of a limit are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKey {
    /// The client's address; IPv6 by its /64.
    ClientIp,
}
