//! What clients are told when a request fails, and while a service is being worked on.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;
use ipnet::IpNet;

/// How the gateway's own errors look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors {
    /// The form of the answers that are not files.
    pub format: ErrorFormat,
    /// Pages for statuses. No two for the same.
    pub pages: Vec<(StatusPattern, ErrorPage)>,
    /// Whether the pages replace errors of the upstream too.
    pub intercept: bool,
}

impl Errors {
    /// The page for a status: one for exactly it, or else one for its class.
    #[must_use]
    pub fn page(&self, status: StatusCode) -> Option<&ErrorPage> {
        let find = |wanted| self.pages.iter().find(|(pattern, _)| *pattern == wanted);
        let class = || find(StatusPattern::Class(status.as_u16() / 100));
        find(StatusPattern::Exact(status)).or_else(class).map(|(_, page)| page)
    }
}

/// The form of an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ErrorFormat {
    /// Whatever the request's `Accept` prefers: HTML, JSON, or plain text.
    #[default]
    Auto,
    /// Always JSON (RFC 9457).
    Json,
}

/// Which statuses a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusPattern {
    /// This one, from 400 to 599.
    Exact(StatusCode),
    /// All that begin with this digit, 4 or 5.
    Class(u16),
}

impl fmt::Display for StatusPattern {
    /// As the configuration writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(status) => write!(f, "{}", status.as_u16()),
            Self::Class(digit) => write!(f, "{digit}xx"),
        }
    }
}

/// A file that is sent as an error. It is read when the configuration is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorPage {
    /// The file. A relative path has been resolved against the folder of the configuration file.
    pub path: PathBuf,
    /// What it holds.
    pub kind: PageKind,
}

/// What a page holds, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// `.html` or `.htm`.
    Html,
    /// `.json`.
    Json,
    /// `.txt`.
    Text,
}

/// A service that is being worked on: 503 for everybody but a few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// Clients that come in all the same.
    pub allow: Vec<IpNet>,
    /// When to come back, for `Retry-After`; whole seconds, at least one.
    pub retry_after: Duration,
    /// The page, instead of the one for 503.
    pub page: Option<ErrorPage>,
}

impl Default for Maintenance {
    /// `maintenance = true`: nobody comes in, and everybody should come back in five minutes.
    fn default() -> Self {
        Self { allow: Vec::new(), retry_after: Duration::from_secs(300), page: None }
    }
}
