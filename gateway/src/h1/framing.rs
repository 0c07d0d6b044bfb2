//! How a message's body is delimited (RFC 9112 section 6.3). Everything about which two readers could
//! disagree is refused: that is what request smuggling is made of (section 11.2).

use http::{Method, StatusCode, Version};

use super::body::BodyReader;
use crate::downstream::Framing;
use crate::head::{Fields, Known, RequestHead, ResponseHead};
use crate::headers::response::has_body;

/// Why nobody can tell where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FramingError {
    /// The only transfer coding that is understood is `chunked`, once. Others would have to be undone
    /// here (section 6.1), and doubled ones are a way to make two readers disagree.
    #[error("its transfer coding is not `chunked`")]
    Coding,
    #[error("{0}")]
    Malformed(&'static str),
}

/// The framing of a request.
///
/// # Errors
/// [`FramingError`].
pub(crate) fn of_request(head: &RequestHead) -> Result<Framing, FramingError> {
    let fields = &head.fields;
    if !fields.has(Known::TransferEncoding) {
        return Ok(match announced(fields)? {
            None | Some(0) => Framing::Empty,
            Some(length) => Framing::Length(length),
        });
    }
    if !is_chunked(fields) {
        return Err(FramingError::Coding);
    }
    if fields.has(Known::ContentLength) {
        return Err(FramingError::Malformed("it has a length and a transfer coding"));
    }
    if head.version == Version::HTTP_10 {
        return Err(FramingError::Malformed("HTTP/1.0 knows no transfer codings"));
    }
    Ok(Framing::Open)
}

/// How the body of an answer to a request by `method` is read.
///
/// # Errors
/// [`FramingError`].
pub(crate) fn of_answer(head: &ResponseHead, method: &Method) -> Result<BodyReader, FramingError> {
    let length = announced(&head.fields)?;
    if !has_body(head.status, method) || head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(BodyReader::none());
    }
    if head.fields.has(Known::TransferEncoding) {
        if !is_chunked(&head.fields) {
            return Err(FramingError::Coding);
        }
        return Ok(BodyReader::chunked());
    }
    Ok(length.map_or_else(BodyReader::until_close, BodyReader::length))
}

/// Leaves of what says how long a message is only what counts: one length, or none beside a transfer
/// coding (RFC 9112 section 6.3).
pub(crate) fn one_length(fields: &mut Fields) {
    let coded = fields.has(Known::TransferEncoding);
    if !coded && fields.all(Known::ContentLength).nth(1).is_none() {
        return;
    }
    let mut seen = coded;
    fields
        .retain(|field| field.known != Known::ContentLength || !std::mem::replace(&mut seen, true));
}

/// Whether a list of tokens, in however many fields, has one.
pub(crate) fn has_token<'f>(values: impl Iterator<Item = &'f [u8]>, token: &[u8]) -> bool {
    let mut tokens = values.flat_map(|value| value.split(|byte| *byte == b','));
    tokens.any(|listed| listed.trim_ascii().eq_ignore_ascii_case(token))
}

fn is_chunked(fields: &Fields) -> bool {
    let mut codings = fields.all(Known::TransferEncoding);
    let chunked = codings.next().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    chunked && codings.next().is_none()
}

/// `Content-Length`. Several are the same thing said twice, if they agree.
fn announced(fields: &Fields) -> Result<Option<u64>, FramingError> {
    let mut announced = None;
    for value in fields.all(Known::ContentLength) {
        let length = number(value).ok_or(FramingError::Malformed("its length is not a number"))?;
        if announced.is_some_and(|other| other != length) {
            return Err(FramingError::Malformed("it has two lengths"));
        }
        announced = Some(length);
    }
    Ok(announced)
}

/// Digits alone: no sign, no space, no list.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(version: Version, fields: &[(&str, &str)]) -> Result<Framing, FramingError> {
        let mut head = RequestHead::default();
        head.begin(Method::POST, version);
        for (name, value) in fields {
            head.fields.add(name.as_bytes(), value.as_bytes());
        }
        of_request(&head)
    }

    #[test]
    fn one_length_or_one_coding_or_neither() {
        let of = |fields: &[(&str, &str)]| framing(Version::HTTP_11, fields);
        assert_eq!(of(&[]), Ok(Framing::Empty));
        assert_eq!(of(&[("content-length", "0")]), Ok(Framing::Empty));
        assert_eq!(of(&[("content-length", "12")]), Ok(Framing::Length(12)));
        let twice = [("content-length", "12"), ("content-length", "12")];
        assert_eq!(of(&twice), Ok(Framing::Length(12)));
        assert_eq!(of(&[("transfer-encoding", "Chunked")]), Ok(Framing::Open));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for length in ["", "+1", "-1", "0x1", "1 1", "1,1", "99999999999999999999", "one"] {
            let refused = framing(Version::HTTP_11, &[("content-length", length)]);
            assert!(matches!(refused, Err(FramingError::Malformed(_))), "{length}");
        }
        let both = [("content-length", "1"), ("transfer-encoding", "chunked")];
        assert!(framing(Version::HTTP_11, &both).is_err());
        let differ = [("content-length", "1"), ("content-length", "2")];
        assert!(framing(Version::HTTP_11, &differ).is_err());
        assert!(framing(Version::HTTP_10, &both[1..]).is_err());
        for coding in ["gzip", "chunked, chunked", "gzip, chunked", "\"chunked\"", ""] {
            let refused = framing(Version::HTTP_11, &[("transfer-encoding", coding)]);
            assert_eq!(refused, Err(FramingError::Coding), "{coding}");
        }
        let twice = [("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")];
        assert_eq!(framing(Version::HTTP_11, &twice), Err(FramingError::Coding));
    }
}
