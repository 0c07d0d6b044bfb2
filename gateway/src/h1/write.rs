//! Heads and bodies to bytes.

use http::{StatusCode, Version};

use crate::head::{Fields, Known, ResponseHead};

/// How an answer's body is framed for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyWriter {
    /// There is none, or all of it has been written.
    None,
    /// As its length says.
    Length,
    /// In chunks.
    Chunked,
    /// Its end is the connection's.
    UntilClose,
}

impl BodyWriter {
    /// The framing of an answer with a body to a client that speaks `version`.
    pub(crate) fn of(head: &ResponseHead, version: Version) -> Self {
        if head.fields.has(Known::ContentLength) {
            Self::Length
        } else if version == Version::HTTP_11 {
            Self::Chunked
        } else {
            Self::UntilClose
        }
    }

    /// What stands before a piece of a body, so many bytes long.
    pub(crate) fn before(self, length: usize, out: &mut Vec<u8>) {
        if self == Self::Chunked {
            chunk_size(length, out);
        }
    }

    /// What stands behind a piece of a body.
    pub(crate) fn behind(self, out: &mut Vec<u8>) {
        if self == Self::Chunked {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// What stands behind the last piece.
    pub(crate) fn end(self, trailers: Option<&Fields>, out: &mut Vec<u8>) {
        if self == Self::Chunked {
            out.extend_from_slice(b"0\r\n");
            trailers.into_iter().for_each(|trailers| write_fields(trailers, out));
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn chunk_size(length: usize, out: &mut Vec<u8>) {
    let digits = (usize::BITS - length.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        out.push(b"0123456789abcdef"[length >> (4 * place) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes an answer's head for a client. `keep`: another request may follow on the connection.
pub(crate) fn answer_head(
    head: &ResponseHead,
    body: BodyWriter,
    version: Version,
    keep: bool,
    out: &mut Vec<u8>,
) {
    out.reserve(1024);
    status_line(head.status, out);
    write_fields(&head.fields, out);
    if body == BodyWriter::Chunked {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        out.extend_from_slice(b"connection: upgrade\r\n");
    } else if !keep {
        out.extend_from_slice(b"connection: close\r\n");
    } else if version == Version::HTTP_10 {
        // In HTTP/1.0 staying has to be said (RFC 9112 section 9.3).
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes an informational answer.
pub(crate) fn informational_head(head: &ResponseHead, out: &mut Vec<u8>) {
    status_line(head.status, out);
    write_fields(&head.fields, out);
    out.extend_from_slice(b"\r\n");
}

fn status_line(status: StatusCode, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_fields(fields: &Fields, out: &mut Vec<u8>) {
    for field in fields.iter() {
        out.extend_from_slice(field.name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_sizes_are_hexadecimal() {
        for (length, text) in [(1, "1\r\n"), (10, "a\r\n"), (255, "ff\r\n"), (65_536, "10000\r\n")]
        {
            let mut out = Vec::new();
            chunk_size(length, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
