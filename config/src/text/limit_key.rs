//! What a limit tells clients apart by.

use http::HeaderName;

use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// The name of a request header.
pub(crate) fn parse_request_header(text: &str) -> Result<HeaderName, Complaint> {
    HeaderName::try_from(text).map_err(|_| {
        Complaint::new(Code::BadHeader, format!("{} is not a header name", quoted(text)))
            .help("use letters, digits and `-`, for instance `X-Api-Key`")
    })
}

/// The name of a cookie: a token (RFC 6265 section 4.1.1), whose case counts.
pub(crate) fn parse_cookie_name(text: &str) -> Result<String, Complaint> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_token) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(Code::BadName, format!("{} is not the name of a cookie", quoted(text)))
        .help("write the name alone, for instance \"session\""))
}
