//! What is decided about a request before it goes anywhere. One small file for each policy; none of
//! them knows what runs it.

pub(crate) mod access;
pub(crate) mod auth;
pub(crate) mod bandwidth;
pub(crate) mod body;
pub(crate) mod cache_control;
pub(crate) mod compress;
pub(crate) mod cors;
pub(crate) mod deny_paths;
pub(crate) mod limit;
pub(crate) mod maintenance;
pub(crate) mod webhook;

use http::StatusCode;

/// Why a policy refused a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// `maintenance`.
    #[error("the service is being worked on")]
    Maintenance {
        /// `Retry-After`, in seconds, at least 1.
        retry_after: u64,
    },
    /// `allow` or `deny`.
    #[error("the client's address may not come in here")]
    Address,
    /// `deny_paths`.
    #[error("the path is on the list of denied paths")]
    Path,
    /// `limit`, of requests in a time.
    #[error("over the limit `{}`", .0.limit)]
    Rate(limit::Exceeded),
    /// `limit`, of requests at one time.
    #[error("over the limit `{0}`: too many requests at one time")]
    Concurrency(String),
    /// `cors`.
    #[error("the preflight is refused: {0}")]
    Preflight(&'static str),
    /// `auth`.
    #[error("{0}")]
    Auth(auth::Denied),
    /// `webhook`.
    #[error("{0}")]
    Webhook(webhook::Rejected),
}

impl Refused {
    pub(crate) fn status(&self) -> StatusCode {
        use webhook::Rejected::{Crowded, Forged, Replayed, Unsigned};
        match self {
            Self::Maintenance { .. } | Self::Webhook(Crowded) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Address | Self::Path | Self::Preflight(_) => StatusCode::FORBIDDEN,
            Self::Rate(_) | Self::Concurrency(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Auth(denied) => denied.status(),
            Self::Webhook(Unsigned | Forged) => StatusCode::UNAUTHORIZED,
            Self::Webhook(Replayed) => StatusCode::CONFLICT,
        }
    }

    /// What the client is told to say about itself.
    pub(crate) fn challenge(&self) -> Option<&str> {
        match self {
            Self::Auth(denied) => denied.challenge(),
            _ => None,
        }
    }

    /// When it is worth coming back, in seconds, where that is known.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Maintenance { retry_after } => Some(*retry_after),
            Self::Rate(over) => Some(over.retry_after),
            // Nobody knows when a request ends; most are quick.
            Self::Concurrency(_) => Some(1),
            Self::Webhook(webhook::Rejected::Crowded)
            | Self::Auth(auth::Denied::Busy | auth::Denied::Unknown(_)) => Some(10),
            _ => None,
        }
    }

    pub(crate) fn reason(&self) -> &'static str {
        use webhook::Rejected::{Crowded, Forged, Replayed, Unsigned};
        match self {
            Self::Maintenance { .. } => "maintenance",
            Self::Address => "address_denied",
            Self::Path => "path_denied",
            Self::Rate(_) => "rate_limited",
            Self::Concurrency(_) => "concurrency_limited",
            Self::Preflight(_) => "preflight_denied",
            Self::Auth(auth::Denied::Nobody(_)) => "auth_missing",
            Self::Auth(auth::Denied::Wrong(..)) => "auth_refused",
            Self::Auth(auth::Denied::Forbidden(..)) => "auth_forbidden",
            Self::Auth(auth::Denied::Unknown(_)) => "auth_unavailable",
            Self::Auth(auth::Denied::Busy) => "auth_busy",
            Self::Webhook(Unsigned) => "webhook_unsigned",
            Self::Webhook(Forged) => "webhook_forged",
            Self::Webhook(Replayed) => "webhook_replayed",
            Self::Webhook(Crowded) => "webhook_crowded",
        }
    }
}
