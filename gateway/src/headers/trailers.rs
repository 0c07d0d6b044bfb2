//! The fields behind a body (RFC 9110 section 6.5), either way.

use crate::head::{Fields, Known};

/// Leaves of a trailer section what may stand behind a body.
pub(crate) fn end_to_end(trailers: Option<Box<Fields>>) -> Option<Box<Fields>> {
    let mut trailers = trailers?;
    trailers.retain(|field| may_trail(field.known) && !field.name.starts_with(b"x-forwarded-"));
    (trailers.len() > 0).then_some(trailers)
}

/// Whether a field may stand behind a body: not one that says how to read the message, where it goes,
/// or who sent it, for all of that has been decided (section 6.5.1).
fn may_trail(known: Known) -> bool {
    matches!(known, Known::Other | Known::Etag | Known::Date | Known::LastModified)
}
