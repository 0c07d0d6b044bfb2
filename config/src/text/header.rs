//! Header names and values that a configuration may set.

use http::{HeaderName, HeaderValue};

use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// Headers that describe the connection or the message's framing (RFC 9110, section 7.6.1), or that
/// the gateway writes itself. Setting one would break the answer or let requests be smuggled.
const FORBIDDEN: [&str; 11] = [
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// The name of a response header.
pub(crate) fn parse_header_name(text: &str) -> Result<HeaderName, Complaint> {
    if text.starts_with(':') {
        return Err(forbidden(text));
    }
    let name = HeaderName::try_from(text).map_err(|_| {
        Complaint::new(Code::BadHeader, format!("{} is not a header name", quoted(text)))
            .help("use letters, digits and `-`, for instance `X-Frame-Options`")
    })?;
    if FORBIDDEN.contains(&name.as_str()) {
        return Err(forbidden(text));
    }
    Ok(name)
}

fn forbidden(text: &str) -> Complaint {
    Complaint::new(
        Code::ForbiddenHeader,
        format!("{} belongs to the connection and cannot be set or removed", quoted(text)),
    )
    .help("remove it; the gateway writes this header itself")
}

/// The value of a response header: visible ASCII, spaces and tabs.
pub(crate) fn parse_header_value(text: &str) -> Result<HeaderValue, Complaint> {
    if text.trim() != text {
        return Err(Complaint::new(
            Code::BadHeader,
            "a header value cannot begin or end with a space",
        )
        .help("remove the spaces around it"));
    }
    HeaderValue::from_str(text).ok().filter(|_| text.is_ascii()).ok_or_else(|| {
        Complaint::new(Code::BadHeader, format!("`{}` is not a header value", text.escape_debug()))
            .help("use ASCII text on one line")
    })
}
