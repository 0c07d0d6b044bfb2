//! What is decided about a request before it goes anywhere. One small file for each policy; none of
//! them knows what runs it.

pub(crate) mod access;
pub(crate) mod body;
pub(crate) mod cache_control;
pub(crate) mod compress;
pub(crate) mod cors;
pub(crate) mod deny_paths;
pub(crate) mod limit;

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
    /// `cors`.
    #[error("the preflight is refused: {0}")]
    Preflight(&'static str),
}

impl Refused {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Address | Self::Path | Self::Preflight(_) => StatusCode::FORBIDDEN,
            Self::Rate(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Address => "address_denied",
            Self::Path => "path_denied",
            Self::Rate(_) => "rate_limited",
            Self::Preflight(_) => "preflight_denied",
        }
    }
}
