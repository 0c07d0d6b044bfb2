//! The fields behind a body in chunks (RFC 9112 section 7.1.2).

use super::body::BodyError;
use crate::head::{Fields, Known};

/// Fields that a trailer section may have.
const MOST_FIELDS: usize = 64;

/// Reads a trailer section from the front of `bytes`: how long it is, and its fields, if any may be
/// passed on. `None`: it is not all there.
///
/// # Errors
/// [`BodyError`].
pub(super) fn parse(
    bytes: &[u8],
    longest: usize,
) -> Result<Option<(usize, Option<Box<Fields>>)>, BodyError> {
    if let [b'\r', b'\n', ..] = bytes {
        return Ok(Some((2, None)));
    }
    let mut slots = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let window = &bytes[..bytes.len().min(longest)];
    let (length, parsed) = match httparse::parse_headers(window, &mut slots) {
        Ok(httparse::Status::Complete(whole)) => whole,
        Ok(httparse::Status::Partial) if window.len() < longest => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(BodyError("its trailers are too long")),
        Err(_) => return Err(BodyError("its trailers are malformed")),
    };
    let mut fields = Fields::default();
    for field in parsed {
        fields.add(field.name.as_bytes(), field.value);
    }
    fields.retain(|field| may_trail(field.known));
    Ok(Some((length, (fields.len() > 0).then(|| Box::new(fields)))))
}

/// Whether a field may stand behind a body: not one that says how to read the message, where it goes,
/// or who sent it, for all of that has been decided (RFC 9110 section 6.5.1).
fn may_trail(known: Known) -> bool {
    matches!(known, Known::Other | Known::Etag | Known::Date | Known::LastModified)
}
