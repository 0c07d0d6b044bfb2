//! Limits on what one client may do.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use http::HeaderName;

/// A named limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The name in `[limit.NAME]`.
    pub name: String,
    /// What is limited.
    pub measure: Measure,
    /// What requests are counted together.
    pub key: LimitKey,
    /// How requests for assets count: GET or HEAD of a path that ends like one.
    pub assets: Counting,
    /// How the requests that open WebSockets count. What is said over one never counts. Where
    /// requests at once are limited, [`Counting::Skip`] counts a WebSocket until it is open.
    pub websockets: Counting,
    /// How an asset's path ends, each with its dot, in lower case.
    pub asset_suffixes: Vec<String>,
    /// Requests over the limit are logged and counted, and served all the same.
    pub dry_run: bool,
}

/// What a limit limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Requests in a time.
    Rate {
        /// The rate at which allowance comes back.
        rate: Rate,
        /// How many requests are served at once before the rate counts. Never smaller than 1.
        burst: NonZeroU32,
    },
    /// Requests that are being served at one time.
    Concurrent(NonZeroU32),
}

/// So many in so long: `10/s` is ten in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long: one second, minute, hour or day.
    pub per: Duration,
}

/// What requests of a limit are counted together. A request that has no such value, or more than
/// one, counts for its client's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitKey {
    /// The client's address; IPv6 by its /64.
    ClientIp,
    /// The value of a request header.
    Header(HeaderName),
    /// The value of a cookie.
    Cookie(String),
}

/// How requests of one kind count against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// With an allowance of their own, as large as that of all others.
    Apart,
    /// Like any other request.
    Together,
    /// Not at all.
    Skip,
}

/// How fast an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bandwidth {
    /// Bytes a second.
    pub rate: NonZeroU64,
    /// So many bytes go out at once before the rate counts.
    pub burst: NonZeroU64,
}
