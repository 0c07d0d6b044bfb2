//! What may stand on the server, a site or a route, merged down to the route.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::{
    Auth, Bandwidth, CacheControl, Compress, Cors, Errors, Limit, Maintenance, ResponseHeaders,
    Webhook,
};

/// Everything that is decided about a request of one route besides where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether the service is being worked on. The nearest level that says something decides.
    pub maintenance: Option<Maintenance>,
    /// Who may come in. One entry for each level that said something; all must agree.
    pub access: Vec<Access>,
    /// Paths that are refused whatever the route.
    pub deny_paths: DenyPaths,
    /// Limits that a request must pass, all of them. The nearest level that names any decides.
    pub limits: Vec<Arc<Limit>>,
    /// How fast an answer may be sent; `None`: as fast as it goes.
    pub bandwidth: Option<Bandwidth>,
    /// The largest request body, in bytes.
    pub body: u64,
    /// How long a connection may stay silent in the middle of a body, a stream or a WebSocket.
    /// `None`: not set, the gateway's defaults for each kind apply.
    pub idle: Option<Duration>,
    /// Response headers.
    pub headers: ResponseHeaders,
    /// What clients are told when a request fails.
    pub errors: Errors,
    /// Which other origins may read answers. The nearest level that says something decides.
    pub cors: Option<Cors>,
    /// How long answers may be kept, by how the path ends. The nearest level that says something
    /// decides; the first entry that fits counts.
    pub cache_control: Vec<CacheControl>,
    /// How answers are compressed. The nearest level that says something decides.
    pub compress: Option<Compress>,
    /// Who may come in, by what they know or bring along.
    pub auth: Option<Arc<Auth>>,
    /// Deliveries that must be signed. Then `body` is small enough to be held in memory.
    pub webhook: Option<Arc<Webhook>>,
    /// Whether requests are written to the access log.
    pub log: bool,
    /// Whether upstreams are told about the client in `Forwarded` too.
    pub forwarded: bool,
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
