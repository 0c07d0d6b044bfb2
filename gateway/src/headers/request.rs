//! The request's head as the upstream sees it.

use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};
use pingora_http::RequestHeader;

use super::hop_by_hop::{is_hop_by_hop, named_by_connection};
use super::trace::Trace;
use crate::client::Client;
use crate::fault::Fault;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Headers in which strangers could claim to be somebody, or to be asking for something else.
const CLAIMS: [HeaderName; 9] = [
    X_REAL_IP,
    FORWARDED,
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
    HeaderName::from_static("fastly-client-ip"),
    HeaderName::from_static("x-cluster-client-ip"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-rewrite-url"),
];

/// `Proxy` becomes `HTTP_PROXY` in CGI programs and then a proxy (httpoxy, CVE-2016-5385).
const PROXY: HeaderName = HeaderName::from_static("proxy");

/// What the gateway knows about a request that its upstream should know too.
pub(crate) struct Forwarding<'r> {
    pub(crate) client: Client,
    /// The address of the connection's peer.
    pub(crate) peer: std::net::IpAddr,
    /// The host that the client asked for, as it wrote it.
    pub(crate) authority: &'r str,
    pub(crate) trace: &'r Trace,
    /// Path and query to ask the upstream for.
    pub(crate) target: &'r str,
    /// The body's framing.
    pub(crate) body: Framing,
    /// The protocol of an upgrade that is passed on.
    pub(crate) upgrade: Option<&'static str>,
}

/// How a request's body is delimited towards the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Empty,
    Length(u64),
    Chunked,
}

/// Builds the head for the upstream from the client's.
///
/// # Errors
/// [`Fault::Unbuildable`] where pingora cannot hold it, which checked input does not bring about.
pub(crate) fn for_upstream(
    asked: &RequestHeader,
    forwarding: &Forwarding<'_>,
) -> Result<Box<RequestHeader>, Fault> {
    let size = asked.headers.len() + 8;
    let method = asked.method.clone();
    let mut head = RequestHeader::build_no_case(method, forwarding.target.as_bytes(), Some(size))
        .map_err(Fault::Unbuildable)?;
    copy_end_to_end(&asked.headers, forwarding, &mut head)?;
    describe_client(&asked.headers, forwarding, &mut head)?;
    frame(asked, forwarding, &mut head)?;
    Ok(Box::new(head))
}

fn copy_end_to_end(
    asked: &HeaderMap,
    forwarding: &Forwarding<'_>,
    head: &mut RequestHeader,
) -> Result<(), Fault> {
    let named = named_by_connection(asked);
    let believed = forwarding.client.via_trusted;
    for (name, value) in asked {
        let is_claim = CLAIMS.contains(name) || name.as_str().starts_with("x-forwarded-");
        let is_ours = [HOST, CONTENT_LENGTH, COOKIE, EXPECT].contains(name)
            || [X_REAL_IP, X_REQUEST_ID, TRACEPARENT, X_FORWARDED_FOR, PROXY].contains(name)
            || [X_FORWARDED_PROTO, X_FORWARDED_HOST].contains(name);
        if is_ours || (is_claim && !believed) || is_hop_by_hop(name) || named.contains(name) {
            continue;
        }
        head.append_header(name.clone(), value.clone()).map_err(Fault::Unbuildable)?;
    }
    if let Some(cookies) = joined(asked, &COOKIE, "; ") {
        head.insert_header(COOKIE, cookies).map_err(Fault::Unbuildable)?;
    }
    Ok(())
}

fn describe_client(
    asked: &HeaderMap,
    forwarding: &Forwarding<'_>,
    head: &mut RequestHeader,
) -> Result<(), Fault> {
    let peer = forwarding.peer.to_canonical().to_string();
    let chain = joined(asked, &X_FORWARDED_FOR, ", ").filter(|_| forwarding.client.via_trusted);
    let chain = chain.and_then(|chain| Some(format!("{}, {peer}", chain.to_str().ok()?)));
    let about = [
        (HOST, HeaderValue::from_str(forwarding.authority).ok()),
        (X_FORWARDED_FOR, HeaderValue::try_from(chain.unwrap_or(peer)).ok()),
        (X_FORWARDED_PROTO, Some(HeaderValue::from_static("https"))),
        (X_FORWARDED_HOST, HeaderValue::from_str(forwarding.authority).ok()),
        (X_REAL_IP, HeaderValue::try_from(forwarding.client.ip.to_string()).ok()),
        (X_REQUEST_ID, forwarding.trace.request_id_value()),
        (TRACEPARENT, forwarding.trace.traceparent()),
    ];
    for (name, value) in about {
        if let Some(value) = value {
            head.insert_header(name, value).map_err(Fault::Unbuildable)?;
        }
    }
    Ok(())
}

fn frame(
    asked: &RequestHeader,
    forwarding: &Forwarding<'_>,
    head: &mut RequestHeader,
) -> Result<(), Fault> {
    let mut insert =
        |name: HeaderName, value| head.insert_header(name, value).map_err(Fault::Unbuildable);
    match forwarding.body {
        // A method that expects a body says so even when it is empty (RFC 9110 section 8.6).
        Framing::Empty if asked.headers.contains_key(CONTENT_LENGTH) => {
            insert(CONTENT_LENGTH, HeaderValue::from_static("0"))?;
        }
        Framing::Empty => {}
        Framing::Length(length) => insert(CONTENT_LENGTH, length.into())?,
        Framing::Chunked => insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"))?,
    }
    let waits = asked
        .headers
        .get(EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if waits && asked.version == http::Version::HTTP_11 {
        insert(EXPECT, HeaderValue::from_static("100-continue"))?;
    }
    if let Some(protocol) = forwarding.upgrade {
        insert(CONNECTION, HeaderValue::from_static("Upgrade"))?;
        insert(UPGRADE, HeaderValue::from_static(protocol))?;
    }
    Ok(())
}

/// All values of one header as one. HTTP/2 splits cookies that HTTP/1.1 wants in one line
/// (RFC 9113 section 8.2.3).
fn joined(headers: &HeaderMap, name: &HeaderName, separator: &str) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let mut rest = values.peekable();
    if rest.peek().is_none() {
        return Some(first.clone());
    }
    let mut all = first.as_bytes().to_vec();
    for value in rest {
        all.extend_from_slice(separator.as_bytes());
        all.extend_from_slice(value.as_bytes());
    }
    HeaderValue::from_bytes(&all).ok()
}
