//! `auth`: who may come in, by what they know or bring along. One file for each way to find out.

pub(crate) mod basic;
pub(crate) mod forward;
pub(crate) mod jwt;
pub(crate) mod key_set;
pub(crate) mod passwords;

use std::sync::Arc;

use http::{HeaderName, StatusCode};

use crate::head::Fields;

/// What a client is told to answer (RFC 9110 section 11.6.1).
pub(crate) type Challenge = Arc<str>;

/// Why somebody does not come in. None of the sentences repeats what the client sent.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Denied {
    /// Nothing was brought.
    #[error("the client has not said who it is")]
    Nobody(Challenge),
    /// What was brought is not good.
    #[error("what the client brought is refused: {0}")]
    Wrong(&'static str, Challenge),
    /// It is good, and for something else.
    #[error("the client's token does not allow this: {0}")]
    Forbidden(&'static str, Challenge),
    /// Whoever knows cannot be asked.
    #[error("who may come in cannot be found out: {0}")]
    Unknown(String),
    /// Too many are waiting.
    #[error("too many passwords are waiting to be verified")]
    Busy,
}

impl Denied {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Nobody(_) | Self::Wrong(..) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(..) => StatusCode::FORBIDDEN,
            Self::Unknown(_) | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What the client is told to answer.
    pub(crate) fn challenge(&self) -> Option<&str> {
        match self {
            Self::Nobody(challenge) | Self::Wrong(_, challenge) | Self::Forbidden(_, challenge) => {
                Some(challenge)
            }
            Self::Unknown(_) | Self::Busy => None,
        }
    }
}

/// Drops the fields of a name that only the gateway may send. Many servers take `Remote_User` for
/// `Remote-User`.
pub(crate) fn reserve(name: &HeaderName, fields: &mut Fields) {
    let wanted = name.as_str().as_bytes();
    let plain = |byte: &u8| if *byte == b'_' { b'-' } else { *byte };
    let is_same = |found: &[u8]| {
        found.len() == wanted.len() && found.iter().map(plain).eq(wanted.iter().map(plain))
    };
    if fields.iter().any(|field| is_same(field.name)) {
        fields.retain(|field| !is_same(field.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_name_cannot_be_spelled_otherwise() {
        let mut fields = Fields::default();
        for name in ["Remote-User", "remote_user", "REMOTE-USER", "remote-users", "remoteuser"] {
            fields.add(name.as_bytes(), b"mallory");
        }
        reserve(&HeaderName::from_static("remote-user"), &mut fields);
        let left: Vec<_> = fields.iter().map(|field| field.name.to_vec()).collect();
        assert_eq!(left, [b"remote-users".to_vec(), b"remoteuser".to_vec()]);
    }
}
