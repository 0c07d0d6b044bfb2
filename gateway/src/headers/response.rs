//! The answer's head as the client sees it.

use gateway_config::model::ResponseHeaders;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::hop_by_hop::{is_hop_by_hop, named_by_connection};
use super::trace::Trace;
use crate::head::{Known, Names, ResponseHead};

/// A route's `headers`, made ready: one pass over an answer's fields drops whatever the route
/// replaces or removes.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    dropped: Names,
    set: Vec<(HeaderName, HeaderValue)>,
    default: Vec<(HeaderName, HeaderValue)>,
}

impl Rules {
    pub(crate) fn of(headers: &ResponseHeaders) -> Self {
        let replaced = headers.set.iter().map(|(name, _)| name);
        let mut dropped = Names::of(replaced.chain(&headers.remove).map(HeaderName::as_str));
        dropped.add_known(Known::XRequestId);
        Self { dropped, set: headers.set.clone(), default: headers.default.clone() }
    }

    /// Does what the route says, and says which request this answers.
    pub(crate) fn apply(&self, trace: &Trace, head: &mut ResponseHead) {
        head.fields.retain(|field| !self.dropped.have(field));
        self.dress(trace, head);
    }

    /// The same for an answer of an upstream, whose connection's own fields are dropped too.
    pub(crate) fn apply_to_upstreams(&self, trace: &Trace, limited: bool, head: &mut ResponseHead) {
        let named = named_by_connection(&head.fields);
        head.fields.retain(|field| {
            let replaced = self.dropped.have(field)
                || limited && matches!(field.known, Known::RateLimit | Known::RateLimitPolicy);
            !replaced && !is_hop_by_hop(field.known) && !named.iter().any(|name| name == field.name)
        });
        self.dress(trace, head);
    }

    fn dress(&self, trace: &Trace, head: &mut ResponseHead) {
        for (name, value) in &self.set {
            head.fields.add(name.as_str().as_bytes(), value.as_bytes());
        }
        for (name, value) in &self.default {
            if !head.fields.has_named(name.as_str().as_bytes()) {
                head.fields.add(name.as_str().as_bytes(), value.as_bytes());
            }
        }
        head.fields.add_known(Known::XRequestId, trace.request_id.as_bytes());
    }
}

/// Drops what was of an upstream's connection from an informational answer.
pub(crate) fn strip_hop_by_hop(head: &mut ResponseHead) {
    let named = named_by_connection(&head.fields);
    head.fields.retain(|field| {
        !is_hop_by_hop(field.known) && !named.iter().any(|name| name == field.name)
    });
}

/// Whether an answer with this status to this method has a body (RFC 9112 section 6.3).
pub(crate) fn has_body(status: StatusCode, method: &Method) -> bool {
    !(*method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED))
}
