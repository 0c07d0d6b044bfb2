//! Heads from bytes. `httparse` finds the fields; what it lets pass and two readers could read
//! differently is refused here.

use std::mem::MaybeUninit;

use http::{Method, StatusCode, Version};

use crate::fault::HEAD_CAP;
use crate::head::{RequestHead, ResponseHead};

/// Fields that one head may have.
const MOST_FIELDS: usize = 256;

/// Why bytes are no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    #[error("it is larger than a head may be")]
    TooLarge,
    #[error("{0}")]
    Malformed(&'static str),
}

/// Reads a request's head from the front of `bytes`: how long it is. `None`: it is not all there.
///
/// # Errors
/// [`HeadError`].
pub(crate) fn parse_request(
    bytes: &[u8],
    head: &mut RequestHead,
) -> Result<Option<usize>, HeadError> {
    let mut slots = [MaybeUninit::uninit(); MOST_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let status = request.parse_with_uninit_headers(bytes, &mut slots);
    let Some(length) = whole(status, bytes)? else { return Ok(None) };
    let version = version(request.version)?;
    let method = Method::from_bytes(request.method.unwrap_or_default().as_bytes());
    head.begin(method.map_err(|_| HeadError::Malformed("its method is not a token"))?, version);
    set_target(head, request.path.unwrap_or_default())?;
    for field in request.headers.iter() {
        head.fields.add(field.name.as_bytes(), value(field.value)?);
    }
    Ok(Some(length))
}

/// Reads an answer's head from the front of `bytes`: how long it is, and the version that it speaks.
/// `None`: it is not all there.
///
/// # Errors
/// [`HeadError`].
pub(crate) fn parse_answer(
    bytes: &[u8],
    head: &mut ResponseHead,
) -> Result<Option<(usize, Version)>, HeadError> {
    let mut slots = [MaybeUninit::uninit(); MOST_FIELDS];
    let mut answer = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let status = parser.parse_response_with_uninit_headers(&mut answer, bytes, &mut slots);
    let Some(length) = whole(status, bytes)? else { return Ok(None) };
    let version = version(answer.version)?;
    let code = StatusCode::from_u16(answer.code.unwrap_or_default());
    head.status = code.map_err(|_| HeadError::Malformed("its status is not a status"))?;
    head.fields.clear();
    for field in answer.headers.iter() {
        head.fields.add(field.name.as_bytes(), value(field.value)?);
    }
    Ok(Some((length, version)))
}

fn whole(status: httparse::Result<usize>, bytes: &[u8]) -> Result<Option<usize>, HeadError> {
    let cap = usize::try_from(HEAD_CAP).unwrap_or(usize::MAX);
    match status {
        Ok(httparse::Status::Complete(length)) if length > cap => Err(HeadError::TooLarge),
        Ok(httparse::Status::Complete(length)) => Ok(Some(length)),
        Ok(httparse::Status::Partial) if bytes.len() > cap => Err(HeadError::TooLarge),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooLarge),
        Err(error) => Err(HeadError::Malformed(reason(error))),
    }
}

/// Which part of a head is wrong. Never the bytes themselves: they can hold cookies and tokens.
fn reason(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a field's name is not a token",
        httparse::Error::HeaderValue => "a field's value has a control character",
        httparse::Error::NewLine => "a line ends in the wrong place",
        httparse::Error::Status => "its status is not a status",
        httparse::Error::Token => "its first line is not HTTP",
        httparse::Error::TooManyHeaders => "it has too many fields",
        httparse::Error::Version => "its version is not HTTP/1.1 or HTTP/1.0",
    }
}

fn version(minor: Option<u8>) -> Result<Version, HeadError> {
    match minor {
        Some(1) => Ok(Version::HTTP_11),
        Some(0) => Ok(Version::HTTP_10),
        _ => Err(HeadError::Malformed("its version is not HTTP/1.1 or HTTP/1.0")),
    }
}

/// White space around a value is not part of it (RFC 9112 section 5); `httparse` takes it off before,
/// and off the end of what it allows. A vertical tab it lets pass on neither side.
fn value(value: &[u8]) -> Result<&[u8], HeadError> {
    let bare = value.trim_ascii_end();
    if bare.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(HeadError::Malformed("a field's value has a control character"));
    }
    Ok(bare)
}

/// Takes an origin-form, absolute-form or asterisk-form target apart (RFC 9112 section 3.2).
fn set_target(head: &mut RequestHead, target: &str) -> Result<(), HeadError> {
    // A fragment is the client's own business and never sent; two readers could cut it differently.
    if target.bytes().any(|byte| byte == b'#') {
        return Err(HeadError::Malformed("its target has a fragment"));
    }
    if target.starts_with('/') || target == "*" {
        head.set_target(target);
        return Ok(());
    }
    if head.method == Method::CONNECT {
        head.set_authority(target);
        return Ok(());
    }
    let rest = without_scheme(target)
        .ok_or(HeadError::Malformed("its target is neither a path nor an http URL"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    head.set_authority(authority);
    match path {
        "" => head.set_target("/"),
        query if query.starts_with('?') => head.set_target(&format!("/{query}")),
        path => head.set_target(path),
    }
    Ok(())
}

fn without_scheme(target: &str) -> Option<&str> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let start = target.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &target[scheme.len()..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(target: &str) -> Result<(Option<String>, String), HeadError> {
        let mut head = RequestHead::default();
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        parse_request(bytes.as_bytes(), &mut head)?;
        Ok((head.authority().map(str::to_owned), head.target().to_owned()))
    }

    #[test]
    fn targets_are_taken_apart() {
        let authority = |text: &str| Some(text.to_owned());
        for (raw, expected) in [
            ("/", (None, "/")),
            ("/a?b=c?d", (None, "/a?b=c?d")),
            ("*", (None, "*")),
            ("http://a.test/x?y", (authority("a.test"), "/x?y")),
            ("HTTPS://a.test:8443", (authority("a.test:8443"), "/")),
            ("https://a.test?q", (authority("a.test"), "/?q")),
        ] {
            assert_eq!(target(raw).unwrap(), (expected.0, expected.1.to_owned()), "{raw}");
        }
        for raw in ["ftp://a/", "a/b", "/a#b", "?"] {
            assert!(target(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let bytes = b"POST /x HTTP/1.1\r\nHost: a.test\r\nX-Two: 1 \r\nx-two: 2\r\n\r\nbody";
        let mut head = RequestHead::default();
        for end in 0..bytes.len() - 4 {
            assert_eq!(parse_request(&bytes[..end], &mut head), Ok(None), "{end}");
        }
        assert_eq!(parse_request(bytes, &mut head), Ok(Some(bytes.len() - 4)));
        let values: Vec<_> = head.fields.named(b"x-two").collect();
        assert_eq!(values, [b"1", b"2"]);
        assert_eq!(head.fields.get(crate::head::Known::Host), Some(b"a.test".as_slice()));
    }

    #[test]
    fn an_answer_s_head_is_read() {
        let mut head = ResponseHead::default();
        let bytes = b"HTTP/1.0 204 No Content Here\r\nServer: x\r\n\r\n";
        assert_eq!(parse_answer(bytes, &mut head), Ok(Some((bytes.len(), Version::HTTP_10))));
        assert_eq!(head.status, 204);
        for bad in ["GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "SSH-2.0-x\r\n\r\n"] {
            assert!(parse_answer(bad.as_bytes(), &mut head).is_err(), "{bad}");
        }
    }

    #[test]
    fn too_much_is_too_much() {
        let mut head = RequestHead::default();
        let many = "X: 1\r\n".repeat(MOST_FIELDS + 1);
        let bytes = format!("GET / HTTP/1.1\r\n{many}\r\n");
        assert_eq!(parse_request(bytes.as_bytes(), &mut head), Err(HeadError::TooLarge));
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(65_536));
        assert_eq!(parse_request(endless.as_bytes(), &mut head), Err(HeadError::TooLarge));
    }
}
