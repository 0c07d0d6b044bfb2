//! Every answer that the gateway makes itself is made here: fixed answers, redirects, and what a
//! client is told about a [`Fault`].

use bytes::Bytes;
use gateway_config::model::{Redirect, Respond, ResponseHeaders};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use pingora_core::protocols::http::ServerSession;
use pingora_error::Error;
use pingora_http::ResponseHeader;

use crate::fault::Fault;
use crate::headers::response;
use crate::headers::trace::Trace;
use crate::policy::Refused;
use crate::policy::limit::Allowance;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// An answer, complete but for what the route and the protocol add.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    /// `respond` of a route.
    pub(crate) fn fixed(respond: &Respond) -> Self {
        Self {
            status: respond.status,
            headers: vec![(CONTENT_TYPE, respond.content_type.clone())],
            body: Bytes::copy_from_slice(respond.body.as_bytes()),
        }
    }

    /// Text of our own.
    pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![(CONTENT_TYPE, TEXT)], body: body.into() }
    }

    /// `redirect` of a site or route, for a request of `target` (path and query).
    pub(crate) fn redirect(redirect: &Redirect, target: &str) -> Result<Self, Fault> {
        let tail = if redirect.keep_path { target } else { "" };
        Self::moved(redirect.status, &format!("{}{tail}", redirect.to))
    }

    /// A redirect to a location.
    pub(crate) fn moved(status: StatusCode, location: &str) -> Result<Self, Fault> {
        let location = HeaderValue::from_str(location)
            .map_err(|_| Fault::Malformed("its target cannot stand in a Location header"))?;
        let mut answer = Self::text(status, "");
        answer.headers.push((LOCATION, location));
        Ok(answer)
    }

    /// What a client is told about a fault: the status, what it can do, and the id to ask about.
    /// Never the cause, which is in the access log under the same id.
    pub(crate) fn to_fault(fault: &Fault, status: StatusCode, trace: &Trace) -> Self {
        let reason = status.canonical_reason().unwrap_or("Error");
        let body = format!("{} {reason}\nRequest {}\n", status.as_u16(), trace.request_id);
        let mut answer = Self::text(status, body);
        if let Fault::Refused(Refused::Rate(over)) = fault {
            answer.headers.push((RETRY_AFTER, over.retry_after.into()));
            answer.headers.extend(rate_limit_headers(std::slice::from_ref(&over.allowance)));
        }
        answer
    }

    /// Sets a header that the answer has already.
    pub(crate) fn replacing(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
        self
    }

    /// The status that will be sent.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer's head as it is sent, and its body.
    ///
    /// # Errors
    /// pingora's, where it cannot hold a header, which checked input does not bring about.
    pub(crate) fn dressed(
        self,
        rules: Option<&ResponseHeaders>,
        trace: &Trace,
    ) -> Result<(ResponseHeader, Bytes), Box<Error>> {
        let mut head = ResponseHeader::build_no_case(self.status, Some(self.headers.len() + 8))?;
        for (name, value) in self.headers {
            head.append_header(name, value)?;
        }
        head.insert_header(CONTENT_LENGTH, HeaderValue::from(self.body.len()))?;
        if let Some(rules) = rules {
            response::apply(rules, trace, &mut head)?;
        }
        if self.status == StatusCode::NO_CONTENT {
            head.remove_header(&CONTENT_LENGTH);
        }
        Ok((head, self.body))
    }

    /// Adds headers.
    pub(crate) fn with(
        mut self,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// `RateLimit` and `RateLimit-Policy` for the limits that a request was counted against.
pub(crate) fn rate_limit_headers(
    allowances: &[Allowance],
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let list = |item: fn(&Allowance) -> String| {
        let items: Vec<String> = allowances.iter().map(item).collect();
        HeaderValue::try_from(items.join(", ")).ok().filter(|_| !items.is_empty())
    };
    let limit = list(|a| format!("\"{}\";r={};t={}", a.limit, a.remaining, a.reset));
    let policy = list(|a| format!("\"{}\";q={};w={}", a.limit, a.burst, a.window));
    [(RATE_LIMIT, limit), (RATE_LIMIT_POLICY, policy)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
}

/// Sends an answer.
///
/// # Errors
/// pingora's, where the client is gone.
pub(crate) async fn send(
    session: &mut ServerSession,
    method: &Method,
    answer: Answer,
    rules: Option<&ResponseHeaders>,
    trace: &Trace,
) -> Result<(), Box<Error>> {
    let (head, body) = answer.dressed(rules, trace)?;
    let has_body = response::has_body(head.status, method) && !body.is_empty();
    session.write_response_header(Box::new(head)).await?;
    if has_body {
        session.write_response_body(body, true).await?;
    }
    Ok(())
}
