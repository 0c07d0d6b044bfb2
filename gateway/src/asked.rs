//! What a request asks for: its host and path, and whether it wants to change the protocol.
//! Everything that two readers could read differently is refused here.

use gateway_config::HostError;
use gateway_config::model::UnknownHost;
use http::{Method, StatusCode, Version};

use crate::fault::Fault;
use crate::head::{Known, RequestHead};
use crate::path::{self, Path};

/// The host that is asked for, as the client wrote it.
pub(crate) fn authority(asked: &RequestHead) -> Result<&str, Fault> {
    if asked.method == Method::CONNECT {
        return Err(Fault::Malformed("CONNECT is for forward proxies"));
    }
    if let Some(authority) = asked.authority() {
        return Ok(authority);
    }
    let mut hosts = asked.fields.all(Known::Host);
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            str::from_utf8(host).map_err(|_| Fault::Malformed("its host is not a host"))
        }
        (None, _) => Err(Fault::Malformed("it names no host")),
        _ => Err(Fault::Malformed("it names two hosts")),
    }
}

/// The path, in the forms in which it is compared and sent on.
pub(crate) fn normal_path(asked: &RequestHead) -> Result<Path<'_>, Fault> {
    // `OPTIONS *` asks about the server as a whole, which here is the root of the site.
    let raw = match asked.path() {
        "*" if asked.method == Method::OPTIONS => "/",
        path => path,
    };
    path::normalise(raw).map_err(Fault::MalformedPath)
}

/// The site that a request is for, which must be the one whose certificate was shown: `shown` is
/// `None` on a plain connection.
pub(crate) fn site_asked_for(
    found: Result<Option<usize>, HostError>,
    shown: Option<Option<usize>>,
    unknown: UnknownHost,
) -> Result<usize, Fault> {
    let found = found.map_err(|_| Fault::Malformed("its host is not a host"))?;
    if shown.is_some_and(|shown| shown.is_none() || found != shown) {
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

/// WebSockets are the one upgrade that is passed on. An upgrade to h2c would let a client speak to
/// the upstream past every policy.
pub(crate) fn websocket(asked: &RequestHead) -> Option<&'static str> {
    let protocol = asked.fields.get(Known::Upgrade)?;
    let wanted = asked.version == Version::HTTP_11
        && asked.method == Method::GET
        && protocol.eq_ignore_ascii_case(b"websocket");
    wanted.then_some("websocket")
}
