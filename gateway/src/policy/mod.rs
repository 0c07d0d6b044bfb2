//! What is decided about a request before it goes anywhere. One small file for each policy; none of
//! them knows what runs it.

pub(crate) mod access;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod deny_paths;
pub(crate) mod limit;
pub(crate) mod webhook;

use http::StatusCode;

/// Why a policy refused a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// `allow` or `deny`.
    #[error("the client's address may not come in here")]
    Address,
    /// `deny_paths`.
    #[error("the path is on the list of denied paths")]
    Path,
    /// `limit`.
    #[error("over the limit `{}`", .0.limit)]
    Rate(limit::Exceeded),
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
            Self::Address | Self::Path => StatusCode::FORBIDDEN,
            Self::Rate(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Auth(denied) => denied.status(),
            Self::Webhook(Unsigned | Forged) => StatusCode::UNAUTHORIZED,
            Self::Webhook(Replayed) => StatusCode::CONFLICT,
            Self::Webhook(Crowded) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What the client is told to say about itself.
    pub(crate) fn challenge(&self) -> Option<&str> {
        match self {
            Self::Auth(denied) => denied.challenge(),
            _ => None,
        }
    }

    /// When what cannot be had now may be tried again, in seconds.
    pub(crate) fn retry_after(&self) -> Option<&'static str> {
        let crowded = matches!(
            self,
            Self::Webhook(webhook::Rejected::Crowded)
                | Self::Auth(auth::Denied::Busy | auth::Denied::Unknown(_))
        );
        crowded.then_some("10")
    }

    pub(crate) fn reason(&self) -> &'static str {
        use webhook::Rejected::{Crowded, Forged, Replayed, Unsigned};
        match self {
            Self::Address => "address_denied",
            Self::Path => "path_denied",
            Self::Rate(_) => "rate_limited",
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
