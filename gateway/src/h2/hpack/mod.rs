//! Header compression for HTTP/2 (RFC 7541).

mod decoder;
mod encoder;
mod huffman;
mod integer;
mod static_table;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use decoder::{Decoded, Decoder};
pub(crate) use encoder::Encoder;

/// The largest dynamic table that either side of a connection keeps: the protocol's default
/// (RFC 9113 section 6.5.2), which we leave to the client as it is and do not exceed ourselves.
pub(crate) const TABLE_SIZE: usize = 4096;

/// What a field costs beyond its bytes, in a table (RFC 7541 section 4.1) and in a list
/// (RFC 9113 section 6.5.2).
pub(crate) const FIELD_OVERHEAD: usize = 32;

/// A header block that cannot be decoded. The tables of the two sides are out of step from there on,
/// so that the connection is lost (RFC 9113 section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("a header block ends in the middle of a field")]
    Truncated,
    #[error("an integer in a header block is too large")]
    IntegerOverflow,
    #[error("a header block refers to an entry that no table has")]
    NoSuchEntry,
    #[error("a string in a header block is not in the Huffman code")]
    NotHuffman,
    #[error("a header block makes the table larger than it may be")]
    TableTooLarge,
    #[error("a header block resizes the table behind a field")]
    LateResize,
}
