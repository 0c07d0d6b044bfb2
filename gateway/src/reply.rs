//! Every answer that the gateway makes itself is made here: fixed answers, redirects, and what a
//! client is told about a [`Fault`].

use std::future::poll_fn;
use std::time::SystemTime;

use bytes::Bytes;
use gateway_config::model::{Redirect, Respond};
use http::{Method, StatusCode};

use crate::downstream::{ClientError, Downstream};
use crate::fault::Fault;
use crate::head::{Fields, Known, ResponseHead};
use crate::headers::response::{Rules, has_body};
use crate::headers::trace::Trace;
use crate::policy::Refused;
use crate::policy::limit::Allowance;
use crate::time::write_http_date;

const TEXT: &[u8] = b"text/plain; charset=utf-8";

/// An answer, complete but for what the route and the protocol add.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    head: ResponseHead,
    body: Bytes,
}

impl Answer {
    fn new(status: StatusCode, content_type: &[u8], body: Bytes) -> Self {
        let mut head = ResponseHead { status, ..ResponseHead::default() };
        head.fields.add_known(Known::ContentType, content_type);
        Self { head, body }
    }

    /// `respond` of a route.
    pub(crate) fn fixed(respond: &Respond) -> Self {
        let body = Bytes::copy_from_slice(respond.body.as_bytes());
        Self::new(respond.status, respond.content_type.as_bytes(), body)
    }

    /// Text of our own.
    pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, TEXT, body.into())
    }

    /// `redirect` of a site or route, for a request of `target` (path and query).
    pub(crate) fn redirect(redirect: &Redirect, target: &str) -> Result<Self, Fault> {
        let tail = if redirect.keep_path { target } else { "" };
        Self::moved(redirect.status, &format!("{}{tail}", redirect.to))
    }

    /// A redirect to a location.
    pub(crate) fn moved(status: StatusCode, location: &str) -> Result<Self, Fault> {
        let is_plain = |byte: u8| byte == b'\t' || byte >= b' ' && byte != 0x7f;
        if !location.bytes().all(is_plain) {
            return Err(Fault::Malformed("its target cannot stand in a Location header"));
        }
        Ok(Self::text(status, "").with(Known::Location, location.as_bytes()))
    }

    /// What a client is told about a fault: the status, what it can do, and the id to ask about.
    /// Never the cause, which is in the access log under the same id.
    pub(crate) fn to_fault(fault: &Fault, status: StatusCode, trace: &Trace) -> Self {
        let reason = status.canonical_reason().unwrap_or("Error");
        let id = trace.request_id.as_str();
        let mut answer =
            Self::text(status, format!("{} {reason}\nRequest {id}\n", status.as_u16()));
        if let Fault::Busy { retry_after, .. } = fault {
            answer = answer.retry_after(*retry_after);
        }
        if let Fault::Refused(Refused::Rate(over)) = fault {
            answer = answer.retry_after(over.retry_after);
            add_rate_limits(&[over.allowance()], &mut answer.head.fields);
        }
        answer
    }

    /// Says when it is worth asking again, in seconds.
    fn retry_after(self, seconds: u64) -> Self {
        self.with(Known::RetryAfter, itoa::Buffer::new().format(seconds).as_bytes())
    }

    /// Adds a field.
    pub(crate) fn with(mut self, known: Known, value: &[u8]) -> Self {
        self.head.fields.add_known(known, value);
        self
    }

    /// Sets a field that the answer has already.
    pub(crate) fn replacing(mut self, known: Known, value: &[u8]) -> Self {
        self.head.fields.set(known.name().as_bytes(), value);
        self
    }

    /// Says which limits the request was counted against.
    pub(crate) fn limited(mut self, allowances: &[Allowance<'_>]) -> Self {
        add_rate_limits(allowances, &mut self.head.fields);
        self
    }

    /// The status that will be sent.
    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The answer's head as it is sent, and its body.
    pub(crate) fn dressed(self, rules: Option<&Rules>, trace: &Trace) -> (ResponseHead, Bytes) {
        let Self { mut head, body } = self;
        if head.status != StatusCode::NO_CONTENT {
            let length = itoa::Buffer::new().format(body.len()).to_owned();
            head.fields.add_known(Known::ContentLength, length.as_bytes());
        }
        if let Some(rules) = rules {
            rules.apply(trace, &mut head);
        }
        (head, body)
    }
}

/// Adds `RateLimit` and `RateLimit-Policy` for the limits that a request was counted against.
pub(crate) fn add_rate_limits(allowances: &[Allowance<'_>], fields: &mut Fields) {
    if allowances.is_empty() {
        return;
    }
    fields.add_written(Known::RateLimit, |out| list(allowances, Allowance::write, out));
    fields.add_written(Known::RateLimitPolicy, |out| {
        list(allowances, Allowance::write_policy, out);
    });
}

fn list<'l>(
    allowances: &[Allowance<'l>],
    write: fn(&Allowance<'l>, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    for (index, allowance) in allowances.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        write(allowance, out);
    }
}

/// Says when an answer was made, where nobody has said so (RFC 9110 section 6.6.1).
pub(crate) fn add_date(fields: &mut Fields, now: SystemTime) {
    if !fields.has(Known::Date) {
        fields.add_written(Known::Date, |out| write_http_date(now, out));
    }
}

/// Sends an answer.
///
/// # Errors
/// [`ClientError`].
pub(crate) async fn send(
    request: &mut impl Downstream,
    method: &Method,
    answer: Answer,
    rules: Option<&Rules>,
    trace: &Trace,
) -> Result<(), ClientError> {
    let (mut head, body) = answer.dressed(rules, trace);
    add_date(&mut head.fields, SystemTime::now());
    let ended = body.is_empty() || !has_body(head.status, method);
    request.send_head(&head, ended);
    if ended {
        return Ok(());
    }
    let mut rest = &body[..];
    while !rest.is_empty() {
        let taken = poll_fn(|cx| request.poll_send(cx, rest)).await?;
        rest = rest.get(taken..).unwrap_or_default();
    }
    request.end(None);
    Ok(())
}
