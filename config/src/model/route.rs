//! Routes: a path pattern, one action, and the policies that apply.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, StatusCode};

use super::{Files, Policy, Upstream};

/// One route of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Which paths it takes.
    pub path: PathPattern,
    /// The one thing it does.
    pub action: Action,
    /// Everything else, server and site merged in.
    pub policy: Policy,
}

/// `/x` is exact, `/x/*` is `/x` and everything below it, `/*` is all. Stored decoded and
/// normalised, as request paths are before they are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPattern {
    /// Exactly this path.
    Exact(String),
    /// This path without its trailing slash, and everything below it. Empty for `/*`.
    Prefix(String),
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Prefix(path) => write!(f, "{path}/*"),
        }
    }
}

/// What a route does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `to`: passes the request on.
    Proxy(Target),
    /// `respond`: answers by itself.
    Respond(Respond),
    /// `redirect`: sends the client elsewhere.
    Redirect(Redirect),
    /// `files`: answers from a folder.
    Files(Files),
}

/// Where a request is passed to, and under what path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The upstream; shared with every other route that names it.
    pub upstream: Arc<Upstream>,
    /// What is done to the path.
    pub rewrite: Rewrite,
}

/// What is done to a path before it goes upstream. The query is always kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewrite {
    /// Nothing: the upstream sees the bytes that the client sent.
    Keep,
    /// `strip_prefix`: this prefix is cut off at a segment's end. Held without a trailing slash.
    StripPrefix(String),
    /// `rewrite = "/new"`: always this path.
    To(String),
    /// `rewrite = "/new/*"`: what the route's `*` matched, below this prefix. Held without a
    /// trailing slash.
    Below(String),
}

/// A fixed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respond {
    /// Its status, 200 to 599.
    pub status: StatusCode,
    /// Its body.
    pub body: String,
    /// Its `Content-Type`.
    pub content_type: HeaderValue,
}

/// A redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// An absolute `http` or `https` URL, or a path that begins with `/`. Without trailing slash
    /// where the request's path is appended.
    pub to: String,
    /// 301, 302, 303, 307 or 308.
    pub status: StatusCode,
    /// Whether the request's path and query are appended.
    pub keep_path: bool,
}
