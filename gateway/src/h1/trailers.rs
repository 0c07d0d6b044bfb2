//! The fields behind a body in chunks (RFC 9112 section 7.1.2).

use super::body::BodyError;
use crate::head::Fields;

/// Fields that a trailer section may have.
const MOST_FIELDS: usize = 64;

/// How long a trailer section is, and its fields, if there are any.
type Section = (usize, Option<Box<Fields>>);

/// Reads a trailer section from the front of `bytes`: how long it is, and its fields, if there
/// are any. `None`: it is not all there.
///
/// # Errors
/// [`BodyError`].
pub(super) fn parse(bytes: &[u8], longest: usize) -> Result<Option<Section>, BodyError> {
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
    Ok(Some((length, (fields.len() > 0).then(|| Box::new(fields)))))
}
