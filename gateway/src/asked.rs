//! What a request asks for: its host and path, how its body is framed, and whether it wants to change
//! the protocol. Everything that two readers could read differently is refused here.

use gateway_config::model::{Host, UnknownHost};
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{Method, StatusCode, Version};
use pingora_http::RequestHeader;

use crate::fault::Fault;
use crate::path::{self, Path};

/// The only transfer coding that is passed on is `chunked`, once. Others would have to be undone here
/// (RFC 9112 section 6.1), and doubled ones are a way to make two readers disagree.
pub(crate) fn check_coding(asked: &RequestHeader) -> Result<(), Fault> {
    let mut codings = asked.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Fault::UnknownCoding),
    }
}

/// The host that is asked for, as the client wrote it.
pub(crate) fn authority(asked: &RequestHeader) -> Result<&str, Fault> {
    if asked.method == Method::CONNECT {
        return Err(Fault::Malformed("CONNECT is for forward proxies"));
    }
    let raw = asked.raw_path();
    let starts =
        |scheme: &[u8]| raw.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    if !(starts(b"/") || starts(b"*") || starts(b"http://") || starts(b"https://")) {
        return Err(Fault::Malformed("its target is neither a path nor an http URL"));
    }
    if let Some(authority) = asked.uri.authority() {
        return Ok(authority.as_str());
    }
    let mut hosts = asked.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().map_err(|_| Fault::Malformed("its host is not a host")),
        (None, _) => Err(Fault::Malformed("it names no host")),
        _ => Err(Fault::Malformed("it names two hosts")),
    }
}

/// The path, in the forms in which it is compared and sent on.
pub(crate) fn normal_path(asked: &RequestHeader) -> Result<Path<'_>, Fault> {
    // `OPTIONS *` asks about the server as a whole, which here is the root of the site.
    let raw = match target(asked) {
        "*" if asked.method == Method::OPTIONS => "/",
        target => target.split('?').next().unwrap_or(target),
    };
    path::normalise(raw).map_err(Fault::MalformedPath)
}

/// Path and query as the client wrote them, without scheme and host.
pub(crate) fn target(asked: &RequestHeader) -> &str {
    asked.uri.path_and_query().map_or("/", |target| target.as_str())
}

/// The site that a request is for, which must be the one whose certificate was shown.
pub(crate) fn site_asked_for(
    authority: &str,
    find: impl FnOnce(&Host) -> Option<usize>,
    shown: Option<usize>,
    unknown: UnknownHost,
) -> Result<usize, Fault> {
    let not_a_host = |_| Fault::Malformed("its host is not a host");
    let (host, _port) = Host::parse_authority(authority).map_err(not_a_host)?;
    let found = find(&host);
    if shown.is_some() && found != shown {
        return Err(Fault::Misdirected);
    }
    found.ok_or_else(|| unknown_host(unknown))
}

pub(crate) fn unknown_host(answer: UnknownHost) -> Fault {
    Fault::UnknownHost(match answer {
        UnknownHost::Close => None,
        UnknownHost::Misdirected => Some(StatusCode::MISDIRECTED_REQUEST),
        UnknownHost::NotFound => Some(StatusCode::NOT_FOUND),
    })
}

/// `Content-Length`, where the request has one.
pub(crate) fn announced_length(asked: &RequestHeader) -> Option<u64> {
    // pingora has checked that several values agree.
    asked.headers.get(CONTENT_LENGTH)?.to_str().ok()?.split(',').next()?.trim().parse().ok()
}

/// WebSockets are the one upgrade that is passed on. An upgrade to h2c would let a client speak to
/// the upstream past every policy.
pub(crate) fn websocket(asked: &RequestHeader) -> Option<&'static str> {
    let protocol = asked.headers.get(UPGRADE)?;
    let wanted = asked.version == Version::HTTP_11
        && asked.method == Method::GET
        && protocol.as_bytes().eq_ignore_ascii_case(b"websocket");
    wanted.then_some("websocket")
}
