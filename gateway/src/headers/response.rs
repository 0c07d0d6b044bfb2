//! The answer's head as the client sees it.

use gateway_config::model::ResponseHeaders;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue, Method, StatusCode, Version};
use pingora_error::Error;
use pingora_http::ResponseHeader;

use super::hop_by_hop::{is_hop_by_hop, named_by_connection};
use super::trace::Trace;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Drops what was of the upstream's connection, and frames the body for the client's.
pub(crate) fn from_upstream(
    head: &mut ResponseHeader,
    method: &Method,
    client_speaks: Version,
) -> Result<(), Box<Error>> {
    let upgrade = (head.status == StatusCode::SWITCHING_PROTOCOLS)
        .then(|| head.headers.get(UPGRADE).cloned())
        .flatten();
    let named = named_by_connection(&head.headers);
    let dropped: Vec<HeaderName> =
        head.headers.keys().filter(|name| is_hop_by_hop(name)).cloned().chain(named).collect();
    for name in &dropped {
        head.remove_header(name);
    }
    head.set_version(Version::HTTP_11);
    if let Some(protocol) = upgrade {
        head.insert_header(CONNECTION, HeaderValue::from_static("Upgrade"))?;
        head.insert_header(UPGRADE, protocol)?;
    } else if has_body(head.status, method)
        && !head.headers.contains_key(CONTENT_LENGTH)
        && client_speaks == Version::HTTP_11
    {
        head.insert_header(TRANSFER_ENCODING, HeaderValue::from_static("chunked"))?;
    }
    Ok(())
}

/// Whether an answer with this status to this method has a body (RFC 9112 section 6.3).
pub(crate) fn has_body(status: StatusCode, method: &Method) -> bool {
    !(*method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED))
}

/// Applies the route's `headers`, and says which request this answers.
pub(crate) fn apply(
    rules: &ResponseHeaders,
    trace: &Trace,
    head: &mut ResponseHeader,
) -> Result<(), Box<Error>> {
    for name in &rules.remove {
        head.remove_header(name);
    }
    for (name, value) in &rules.set {
        head.insert_header(name.clone(), value.clone())?;
    }
    for (name, value) in &rules.default {
        if !head.headers.contains_key(name) {
            head.insert_header(name.clone(), value.clone())?;
        }
    }
    if let Some(id) = trace.request_id_value() {
        head.insert_header(X_REQUEST_ID, id)?;
    }
    Ok(())
}
