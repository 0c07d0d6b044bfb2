//! Every answer that the gateway makes itself is made here: fixed answers, redirects, and what a
//! client is told about a [`Fault`], in words ([`problem`]) or by a page of the route's own ([`page`]).

mod accept;
mod error_style;
mod page;
mod problem;

use std::future::poll_fn;
use std::time::SystemTime;

use bytes::Bytes;
use gateway_config::model::{Redirect, Respond};
use http::{Method, StatusCode};
use smallvec::SmallVec;

use crate::downstream::{ClientError, Downstream};
use crate::encoder::Encoder;
use crate::fault::Fault;
use crate::head::{Field, Fields, Known, RequestHead, ResponseHead};
use crate::headers::response::{Dress, has_body, strip_hop_by_hop};
use crate::headers::trace::Trace;
use crate::policy::Refused;
use crate::policy::limit::Allowance;
use crate::time::write_http_date;

pub(crate) use error_style::{ErrorStyle, PLAIN, Pages};
use page::Page;
pub use page::PageError;
use problem::Problem;

const TEXT: &[u8] = b"text/plain; charset=utf-8";
const HTML: &[u8] = b"text/html; charset=utf-8";

/// A body in pieces, most of which are shared by all who are sent them.
type Body = SmallVec<[Bytes; 1]>;

/// An answer, complete but for what the route and the protocol add.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    head: ResponseHead,
    body: Body,
}

impl Answer {
    fn new(status: StatusCode, content_type: &[u8], body: Bytes) -> Self {
        let mut head = ResponseHead { status, ..ResponseHead::default() };
        head.fields.add_known(Known::ContentType, content_type);
        Self { head, body: Body::from_elem(body, 1) }
    }

    /// `respond` of a route.
    pub(crate) fn fixed(respond: &Respond) -> Self {
        let body = Bytes::copy_from_slice(respond.body.as_bytes());
        Self::new(respond.status, respond.content_type.as_bytes(), body)
    }

    /// A status alone.
    pub(crate) fn empty(status: StatusCode) -> Self {
        let head = ResponseHead { status, ..ResponseHead::default() };
        Self { head, body: Body::new() }
    }

    /// An answer of another service, for the client.
    pub(crate) fn passed_on(mut head: ResponseHead, body: Bytes) -> Self {
        head.fields.remove(Known::ContentLength.name().as_bytes());
        Self { head, body: Body::from_elem(body, 1) }
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

    /// What a client is told about a fault. `asked` is `None` where its head could not be read.
    pub(crate) fn to_fault(
        fault: &Fault,
        status: StatusCode,
        asked: Option<&RequestHead>,
        style: &ErrorStyle,
        trace: &Trace,
    ) -> Self {
        let problem = Problem::of_fault(fault, status);
        let id = trace.request_id.as_str();
        let answer = match style.page_for(fault, status, asked) {
            Some(page) => {
                let head = ResponseHead { status, ..ResponseHead::default() };
                Self::page(head, page, &problem, trace)
            }
            None => {
                let (content_type, body) = problem.told(style.own_form(asked), status, id);
                let answer = Self { body, ..Self::new(status, content_type, Bytes::new()) };
                if content_type == HTML { answer.protected() } else { answer }
            }
        };
        // It has one request's id on it and its client's form, and may be over in a moment.
        let answer = answer.with(Known::CacheControl, b"no-store").with_retry_after(fault);
        match fault {
            Fault::MethodNotAllowed(methods) => answer.with_named(b"allow", methods.as_bytes()),
            _ => answer,
        }
    }

    /// The route's page instead of an upstream's error: everything that the upstream says stays but
    /// what it says about the body.
    pub(crate) fn instead_of(
        mut head: ResponseHead,
        style: &ErrorStyle,
        asked: &RequestHead,
        trace: &Trace,
    ) -> Self {
        strip_hop_by_hop(&mut head);
        head.fields.retain(|field| !describes_a_body(field));
        let problem = Problem::of(head.status);
        let answer = match style.page_instead(head.status, asked) {
            Some(page) => Self::page(head, page, &problem, trace),
            None => Self { head, body: Body::new() },
        };
        answer.with(Known::CacheControl, b"no-store")
    }

    fn page(mut head: ResponseHead, page: &Page, problem: &Problem, trace: &Trace) -> Self {
        head.fields.add_known(Known::ContentType, page.content_type());
        let body = page.filled(head.status, problem, trace.request_id.as_str());
        Self { head, body }
    }

    /// The gateway's own page, which brings a policy that lets nothing in but its style.
    fn protected(mut self) -> Self {
        let policy = problem::CONTENT_SECURITY_POLICY.as_bytes();
        self.head.fields.add(b"content-security-policy", policy);
        self
    }

    /// When to come back, where the fault knows it, which limit it is about, and what would let the
    /// client in.
    fn with_retry_after(mut self, fault: &Fault) -> Self {
        let seconds = match fault {
            Fault::Refused(refused) => refused.retry_after(),
            Fault::Busy { retry_after, .. } => Some(*retry_after),
            _ => None,
        };
        if let Some(seconds) = seconds {
            let seconds = itoa::Buffer::new().format(seconds).to_owned();
            self = self.with(Known::RetryAfter, seconds.as_bytes());
        }
        let Fault::Refused(refused) = fault else { return self };
        if let Some(challenge) = refused.challenge() {
            self = self.with_named(b"www-authenticate", challenge.as_bytes());
        }
        if let Refused::Rate(over) = refused {
            add_rate_limits(&[over.allowance()], &mut self.head.fields);
        }
        self
    }

    /// A head without a body, complete.
    pub(crate) fn of_head(head: ResponseHead) -> Self {
        Self { head, body: Body::new() }
    }

    /// Adds a field that has no place among the known ones. The name is in lower case.
    pub(crate) fn with_named(mut self, name: &[u8], value: &[u8]) -> Self {
        self.head.fields.add(name, value);
        self
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

    /// Says which limits the request was counted against, whatever an upstream says about its own.
    pub(crate) fn limited(mut self, allowances: &[Allowance<'_>]) -> Self {
        if !allowances.is_empty() {
            let ours =
                |field: Field<'_>| matches!(field.known, Known::RateLimit | Known::RateLimitPolicy);
            self.head.fields.retain(|field| !ours(field));
        }
        add_rate_limits(allowances, &mut self.head.fields);
        self
    }

    /// The status that will be sent.
    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The body, before anything is done to it.
    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    /// The answer's head as it is sent, and its body.
    pub(crate) fn dressed(self, dress: Option<Dress<'_>>, trace: &Trace) -> (ResponseHead, Body) {
        let Self { mut head, mut body } = self;
        if !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            head.fields.add_known(Known::ContentLength, length(&body).as_bytes());
        }
        if let Some(encoding) = dress.and_then(|dress| dress.apply(trace, &mut head)) {
            match Encoder::whole(encoding, &body.concat()) {
                Ok(compressed) => body = Body::from_elem(compressed.into(), 1),
                Err(_) => head.fields.remove(b"content-encoding"),
            }
            head.fields.add_known(Known::ContentLength, length(&body).as_bytes());
        }
        (head, body)
    }
}

fn length(body: &Body) -> String {
    itoa::Buffer::new().format(body.iter().map(Bytes::len).sum::<usize>()).to_owned()
}

/// What an answer says about the body that it came with. Every `Content-…` field does, and what
/// browsers may do with the body (`Content-Security-Policy`) is no exception.
fn describes_a_body(field: Field<'_>) -> bool {
    field.name.starts_with(b"content-")
        || matches!(field.known, Known::Etag | Known::LastModified | Known::CacheControl)
        || matches!(field.name, b"accept-ranges" | b"expires" | b"age" | b"digest" | b"repr-digest")
}

/// Whether a client would rather have HTML than anything else: a browser that goes to a page.
pub(crate) fn prefers_html(asked: &RequestHead) -> bool {
    accept::preferred(asked) == Some(accept::Form::Html)
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
    dress: Option<Dress<'_>>,
    trace: &Trace,
) -> Result<(), ClientError> {
    let (mut head, body) = answer.dressed(dress, trace);
    add_date(&mut head.fields, SystemTime::now());
    let ended = body.iter().all(Bytes::is_empty) || !has_body(head.status, method);
    request.send_head(&head, ended);
    if ended {
        return Ok(());
    }
    for piece in &body {
        let mut rest = &piece[..];
        while !rest.is_empty() {
            let taken = poll_fn(|cx| request.poll_send(cx, rest)).await?;
            rest = rest.get(taken..).unwrap_or_default();
        }
    }
    request.end(None);
    Ok(())
}
