//! `auth = { forward }`: another service is shown the request and decides. The form is the one that
//! Authelia, Authentik and oauth2-proxy know from other proxies.

use std::time::Duration;

use gateway_config::model::{ForwardAuth, OnError};
use http::{HeaderName, Method, Version};

use super::reserve;
use crate::head::{Fields, Known, RequestHead, ResponseHead};

/// Fields that make sense only with the request that they came with: its body, and what the client
/// has of the answer already.
const NOT_SHOWN: [&[u8]; 8] = [
    b"content-length",
    b"content-type",
    b"expect",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-unmodified-since",
    b"range",
];

/// One route's `forward`.
pub(crate) struct Forward {
    pub(crate) path: String,
    pub(crate) timeout: Duration,
    pub(crate) on_error: OnError,
    copy_headers: Vec<HeaderName>,
}

/// What the service said.
pub(crate) enum Word {
    /// The client may come in.
    Enter,
    /// It gets the service's answer instead.
    Answer,
    /// The service has a problem of its own.
    Trouble,
}

impl Forward {
    pub(crate) fn new(forward: &ForwardAuth) -> Self {
        Self {
            path: forward.path.clone(),
            timeout: forward.timeout,
            on_error: forward.on_error,
            copy_headers: forward.copy_headers.clone(),
        }
    }

    /// Drops what only the service may say.
    pub(crate) fn reserve(&self, fields: &mut Fields) {
        self.copy_headers.iter().for_each(|name| reserve(name, fields));
    }

    /// The request as the service is shown it, and what is said about it besides who the client is.
    pub(crate) fn question(&self, asked: &RequestHead) -> (RequestHead, Fields) {
        let mut head = asked.clone();
        head.method = Method::GET;
        head.version = Version::HTTP_11;
        head.fields.retain(|field| {
            let described = [&b"x-forwarded-method"[..], b"x-forwarded-uri"].contains(&field.name);
            !described && !NOT_SHOWN.contains(&field.name)
        });
        let mut added = Fields::default();
        added.add(b"x-forwarded-method", asked.method.as_str().as_bytes());
        added.add(b"x-forwarded-uri", asked.target().as_bytes());
        (head, added)
    }

    /// What the service's answer means.
    pub(crate) fn word(answer: &ResponseHead) -> Word {
        match answer.status {
            status if status.is_success() => Word::Enter,
            status if status.is_server_error() => Word::Trouble,
            _ => Word::Answer,
        }
    }

    /// Takes over from a 2xx what the request is to take along.
    pub(crate) fn copy(&self, answer: &ResponseHead, added: &mut Fields) {
        for name in &self.copy_headers {
            let name = name.as_str().as_bytes();
            answer.fields.named(name).for_each(|value| added.add(name, value));
        }
    }
}

/// The cookies that an answer sets.
pub(crate) fn cookies(answer: &ResponseHead) -> Vec<Vec<u8>> {
    answer.fields.all(Known::SetCookie).map(<[u8]>::to_vec).collect()
}
