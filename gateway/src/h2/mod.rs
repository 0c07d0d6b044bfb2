//! HTTP/2, the server's side (RFC 9113).

pub(crate) mod field;
pub(crate) mod hpack;
