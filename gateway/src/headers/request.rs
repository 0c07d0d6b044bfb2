//! The request's head as the upstream sees it.

use http::Version;

use super::hop_by_hop::{is_hop_by_hop, named_by_connection};
use super::trace::Trace;
use crate::client::Client;
use crate::downstream::Framing;
use crate::head::{Fields, Known, RequestHead};

/// What the gateway knows about a request that its upstream should know too.
pub(crate) struct Forwarding<'r> {
    pub(crate) client: Client,
    /// The address of the connection's peer.
    pub(crate) peer: &'r str,
    /// The host that the client asked for, as it wrote it.
    pub(crate) authority: &'r str,
    pub(crate) trace: &'r Trace,
    /// Path and query to ask the upstream for.
    pub(crate) target: &'r str,
    /// The body's framing.
    pub(crate) body: Framing,
    /// The protocol of an upgrade that is passed on.
    pub(crate) upgrade: Option<&'static str>,
    /// Whether it is told in `Forwarded` too.
    pub(crate) forwarded: bool,
    /// What only the gateway's own policies may say.
    pub(crate) added: Option<&'r Fields>,
}

/// What takes a head down: the wire, or whoever wants to know what would go over it.
pub(crate) trait Sink {
    /// Takes one field; the name is in lower case.
    fn field(&mut self, name: &[u8], value: &[u8]);
}

impl Sink for Vec<u8> {
    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.extend_from_slice(name);
        self.extend_from_slice(b": ");
        self.extend_from_slice(value);
        self.extend_from_slice(b"\r\n");
    }
}

impl Sink for Fields {
    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.add(name, value);
    }
}

/// Writes the head for the upstream in HTTP/1.1.
pub(crate) fn for_upstream(asked: &RequestHead, forwarding: &Forwarding<'_>, out: &mut Vec<u8>) {
    out.reserve(1024);
    out.extend_from_slice(asked.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(forwarding.target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    fields_for_upstream(asked, forwarding, out);
    out.extend_from_slice(b"\r\n");
}

/// The fields of that head, in their order.
pub(crate) fn fields_for_upstream(
    asked: &RequestHead,
    forwarding: &Forwarding<'_>,
    out: &mut impl Sink,
) {
    out.field(b"host", forwarding.authority.as_bytes());
    copy_end_to_end(&asked.fields, forwarding, out);
    describe_client(&asked.fields, forwarding, out);
    for field in forwarding.added.iter().flat_map(|added| added.iter()) {
        out.field(field.name, field.value);
    }
    frame(asked, forwarding, out);
}

fn copy_end_to_end(asked: &Fields, forwarding: &Forwarding<'_>, out: &mut impl Sink) {
    let named = named_by_connection(asked);
    let believed = forwarding.client.via_trusted;
    for field in asked.iter() {
        let goes_on = match field.known {
            Known::Other => believed || !field.name.starts_with(b"x-forwarded-"),
            Known::Forwarded if forwarding.forwarded => false,
            known => !is_hop_by_hop(known) && !is_ours(known) && (believed || !is_claim(known)),
        };
        if goes_on && !named.iter().any(|name| name == field.name) {
            out.field(field.name, field.value);
        }
    }
    // HTTP/2 splits cookies that HTTP/1.1 wants in one line (RFC 9113 section 8.2.3).
    with_joined(asked, Known::Cookie, b"; ", |cookies| out.field(b"cookie", cookies));
}

/// Fields that the gateway says itself, or says anew.
fn is_ours(known: Known) -> bool {
    use Known::{
        ContentLength, Cookie, Expect, Host, Proxy, Traceparent, XForwardedFor, XForwardedHost,
        XForwardedProto, XRealIp, XRequestId,
    };
    matches!(
        known,
        Host | ContentLength | Cookie | Expect | XRealIp | XRequestId | Traceparent
            | XForwardedFor | XForwardedProto | XForwardedHost
            // `Proxy` becomes `HTTP_PROXY` in CGI programs and then a proxy (CVE-2016-5385).
            | Proxy
    )
}

/// Fields in which strangers could claim to be somebody, or to be asking for something else.
fn is_claim(known: Known) -> bool {
    use Known::{
        CfConnectingIp, FastlyClientIp, Forwarded, TrueClientIp, XClientIp, XClusterClientIp,
        XOriginalUrl, XRewriteUrl,
    };
    matches!(
        known,
        Forwarded
            | XClientIp
            | TrueClientIp
            | CfConnectingIp
            | FastlyClientIp
            | XClusterClientIp
            | XOriginalUrl
            | XRewriteUrl
    )
}

fn describe_client(asked: &Fields, forwarding: &Forwarding<'_>, out: &mut impl Sink) {
    let (peer, authority) = (forwarding.peer.as_bytes(), forwarding.authority.as_bytes());
    let mut chain = Vec::new();
    if forwarding.client.via_trusted {
        with_joined(asked, Known::XForwardedFor, b", ", |brought| {
            chain = [brought, b", ", peer].concat();
        });
    }
    out.field(b"x-forwarded-for", if chain.is_empty() { peer } else { &chain });
    if forwarding.forwarded {
        out.field(b"forwarded", &forwarded(asked, forwarding));
    }
    out.field(b"x-forwarded-proto", b"https");
    out.field(b"x-forwarded-host", authority);
    if forwarding.client.via_trusted {
        out.field(b"x-real-ip", forwarding.client.ip.to_string().as_bytes());
    } else {
        out.field(b"x-real-ip", peer);
    }
    out.field(b"x-request-id", forwarding.trace.request_id.as_bytes());
    out.field(b"traceparent", &forwarding.trace.traceparent());
}

/// `Forwarded` (RFC 7239), behind what a trusted proxy has said in it. What is no token is quoted, which
/// IPv6 addresses and ports need.
fn forwarded(asked: &Fields, forwarding: &Forwarding<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    if forwarding.client.via_trusted {
        with_joined(asked, Known::Forwarded, b", ", |brought| line = [brought, b", "].concat());
    }
    let Forwarding { peer, authority, .. } = forwarding;
    let node = if peer.contains(':') { format!("\"[{peer}]\"") } else { (*peer).to_owned() };
    line.extend_from_slice(format!("for={node};host=\"{authority}\";proto=https").as_bytes());
    line
}

fn frame(asked: &RequestHead, forwarding: &Forwarding<'_>, out: &mut impl Sink) {
    match forwarding.body {
        // A method that expects a body says so even when it is empty (RFC 9110 section 8.6).
        Framing::Empty if asked.fields.has(Known::ContentLength) => {
            out.field(b"content-length", b"0");
        }
        Framing::Empty => {}
        Framing::Length(length) => {
            out.field(b"content-length", itoa::Buffer::new().format(length).as_bytes());
        }
        Framing::Open => out.field(b"transfer-encoding", b"chunked"),
    }
    if asked.version == Version::HTTP_11 && expects_continue(&asked.fields) {
        out.field(b"expect", b"100-continue");
    }
    if let Some(protocol) = forwarding.upgrade {
        out.field(b"connection", b"Upgrade");
        out.field(b"upgrade", protocol.as_bytes());
    }
}

/// Whether the client waits to be asked for its body (RFC 9110 section 10.1.1).
pub(crate) fn expects_continue(asked: &Fields) -> bool {
    let expects = asked.get(Known::Expect);
    expects.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

/// Hands out all values of one field as one, if there are any.
fn with_joined(fields: &Fields, known: Known, separator: &[u8], take: impl FnOnce(&[u8])) {
    let mut values = fields.all(known);
    let (Some(first), second) = (values.next(), values.next()) else { return };
    match second {
        None => take(first),
        Some(_) => take(&fields.all(known).collect::<Vec<_>>().join(separator)),
    }
}
