//! The answer's head as the client sees it.

use gateway_config::model::{Policy, ResponseHeaders};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::finish::Finish;
use super::hop_by_hop::{is_hop_by_hop, named_by_connection};
use super::trace::Trace;
use crate::head::{Known, Names, RequestHead, ResponseHead};
use crate::policy::Refused;
use crate::policy::compress::Encoding;

/// What a route does to its answers: the policies of answers, and then its `headers`, made ready. One
/// pass over an answer's fields drops whatever the route replaces or removes.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    finish: Option<Box<Finish>>,
    dropped: Names,
    set: Vec<(HeaderName, HeaderValue)>,
    default: Vec<(HeaderName, HeaderValue)>,
}

impl Rules {
    pub(crate) fn of(policy: &Policy) -> Self {
        Self { finish: Finish::of(policy), ..Self::of_headers(&policy.headers) }
    }

    fn of_headers(headers: &ResponseHeaders) -> Self {
        let replaced = headers.set.iter().map(|(name, _)| name);
        let mut dropped = Names::of(replaced.chain(&headers.remove).map(HeaderName::as_str));
        dropped.add_known(Known::XRequestId);
        let (set, default) = (headers.set.clone(), headers.default.clone());
        Self { finish: None, dropped, set, default }
    }

    /// The rules for the answer to one request.
    pub(crate) fn to<'r>(&'r self, asked: &'r RequestHead) -> Dress<'r> {
        Dress { rules: self, asked }
    }

    /// Whether a request is a browser's preflight, which is answered here and never gets further.
    ///
    /// # Errors
    /// [`Refused::Preflight`], where what it asks for is not allowed.
    pub(crate) fn is_preflight(&self, asked: &RequestHead) -> Result<bool, Refused> {
        match self.finish.as_ref().and_then(|finish| finish.cors()) {
            Some(cors) => cors.is_preflight(asked),
            None => Ok(false),
        }
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

/// What a route does to the answer to one request.
#[derive(Clone, Copy)]
pub(crate) struct Dress<'r> {
    rules: &'r Rules,
    asked: &'r RequestHead,
}

impl Dress<'_> {
    /// Does what the route says, and says which request this answers. Returns how the body is to be
    /// compressed, where it is.
    pub(crate) fn apply(self, trace: &Trace, head: &mut ResponseHead) -> Option<Encoding> {
        let Self { rules, asked } = self;
        let encoding = rules.finish.as_ref().and_then(|finish| finish.apply(asked, head));
        head.fields.retain(|field| !rules.dropped.have(field));
        rules.dress(trace, head);
        encoding
    }

    /// The same for an answer of an upstream, whose connection's own fields are dropped too.
    pub(crate) fn apply_to_upstreams(
        self,
        trace: &Trace,
        limited: bool,
        head: &mut ResponseHead,
    ) -> Option<Encoding> {
        let Self { rules, asked } = self;
        let encoding = rules.finish.as_ref().and_then(|finish| finish.apply(asked, head));
        let named = named_by_connection(&head.fields);
        head.fields.retain(|field| {
            let replaced = rules.dropped.have(field)
                || limited && matches!(field.known, Known::RateLimit | Known::RateLimitPolicy);
            !replaced && !is_hop_by_hop(field.known) && !named.iter().any(|name| name == field.name)
        });
        rules.dress(trace, head);
        encoding
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
