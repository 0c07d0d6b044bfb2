//! Bodies from bytes: which of the bytes at hand are the body's, and where it ends.

use super::trailers;
use crate::head::Fields;

/// The longest line that says how long a chunk is, extensions included, and its end.
const LONGEST_SIZE_LINE: usize = 4096;

/// The longest trailer section.
const LONGEST_TRAILERS: usize = 16 * 1024;

/// Why bytes are no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BodyError(pub(crate) &'static str);

/// What comes next of a body.
#[derive(Debug)]
pub(crate) enum Next {
    /// So many bytes of it, at least one.
    Data(usize),
    /// Nothing until more has been read.
    More,
    /// Its end.
    End(Option<Box<Fields>>),
}

/// Where in a body its reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Behind its end.
    Ended,
    /// So many bytes before it.
    Length(u64),
    /// In a body that ends with its connection.
    UntilClose,
    /// Before a chunk's size.
    Size,
    /// In a chunk, so many bytes before its end.
    Chunk(u64),
    /// Before the line's end behind a chunk.
    ChunkEnd,
    /// Behind the last chunk.
    Trailers,
}

/// Reads one body.
#[derive(Debug)]
pub(crate) struct BodyReader {
    place: Place,
}

impl BodyReader {
    /// No body.
    pub(crate) fn none() -> Self {
        Self { place: Place::Ended }
    }

    /// A body of so many bytes.
    pub(crate) fn length(length: u64) -> Self {
        Self { place: if length == 0 { Place::Ended } else { Place::Length(length) } }
    }

    /// A body in chunks (RFC 9112 section 7.1).
    pub(crate) fn chunked() -> Self {
        Self { place: Place::Size }
    }

    /// A body that ends where its connection does.
    pub(crate) fn until_close() -> Self {
        Self { place: Place::UntilClose }
    }

    /// Whether the end has been read.
    pub(crate) fn is_ended(&self) -> bool {
        self.place == Place::Ended
    }

    /// Whether the end of the connection is the end of the body. Ends it.
    ///
    /// # Errors
    /// [`BodyError`], where more was announced.
    pub(crate) fn close(&mut self) -> Result<(), BodyError> {
        match self.place {
            Place::Ended | Place::UntilClose => {
                self.place = Place::Ended;
                Ok(())
            }
            _ => Err(BodyError("the connection ended before the body did")),
        }
    }

    /// What comes next, and how many bytes of framing stand before it in `bytes`. The caller takes
    /// both off before it asks again.
    ///
    /// # Errors
    /// [`BodyError`]; nothing that follows can be made sense of.
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Result<(usize, Next), BodyError> {
        let mut skipped = 0;
        loop {
            let rest = &bytes[skipped..];
            match self.place {
                Place::Ended => return Ok((skipped, Next::End(None))),
                Place::UntilClose if rest.is_empty() => return Ok((skipped, Next::More)),
                Place::UntilClose => return Ok((skipped, Next::Data(rest.len()))),
                Place::Length(left) | Place::Chunk(left) => {
                    return Ok((skipped, self.data(left, rest.len())));
                }
                Place::Size => match size_line(rest)? {
                    None => return Ok((skipped, Next::More)),
                    Some((line, 0)) => (skipped, self.place) = (skipped + line, Place::Trailers),
                    Some((line, size)) => {
                        (skipped, self.place) = (skipped + line, Place::Chunk(size));
                    }
                },
                Place::ChunkEnd => match rest {
                    [b'\r', b'\n', ..] => (skipped, self.place) = (skipped + 2, Place::Size),
                    [] | [b'\r'] => return Ok((skipped, Next::More)),
                    _ => return Err(BodyError("a chunk is longer than it says")),
                },
                Place::Trailers => {
                    let Some((length, fields)) = trailers::parse(rest, LONGEST_TRAILERS)? else {
                        return Ok((skipped, Next::More));
                    };
                    self.place = Place::Ended;
                    return Ok((skipped + length, Next::End(fields)));
                }
            }
        }
    }

    fn data(&mut self, left: u64, available: usize) -> Next {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(available);
        if taken == 0 {
            return Next::More;
        }
        let left = left - taken as u64;
        self.place = match self.place {
            Place::Chunk(_) if left == 0 => Place::ChunkEnd,
            Place::Chunk(_) => Place::Chunk(left),
            _ if left == 0 => Place::Ended,
            _ => Place::Length(left),
        };
        Next::Data(taken)
    }
}

/// The length of the line that says a chunk's size, and the size; none while the line has no end.
fn size_line(bytes: &[u8]) -> Result<Option<(usize, u64)>, BodyError> {
    let window = &bytes[..bytes.len().min(LONGEST_SIZE_LINE)];
    let Some(end) = memchr::memchr(b'\n', window) else {
        if window.len() == LONGEST_SIZE_LINE {
            return Err(BodyError("the line with a chunk's size is too long"));
        }
        return Ok(None);
    };
    let line = bytes[..end].strip_suffix(b"\r").ok_or(BodyError("a line ends without CR"))?;
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (number, extensions) = line.split_at(digits);
    let extensions = extensions.trim_ascii_start();
    let is_plain = |byte: &u8| *byte == b'\t' || *byte >= b' ' && *byte != 0x7f;
    let well_formed =
        extensions.is_empty() || extensions.starts_with(b";") && extensions.iter().all(is_plain);
    let size = hexadecimal(number).filter(|_| well_formed);
    Ok(Some((end + 1, size.ok_or(BodyError("a chunk's size is not a hexadecimal number"))?)))
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    // Sixteen digits are all that 64 bits take; more would be zeros without a purpose.
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        Some(number << 4 | u64::from(char::from(*digit).to_digit(16)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `wire` in pieces of `cut` bytes; the body, and the trailers' names.
    fn read(
        mut reader: BodyReader,
        wire: &[u8],
        cut: usize,
    ) -> Result<(Vec<u8>, Vec<String>), BodyError> {
        let (mut held, mut body) = (Vec::new(), Vec::new());
        let mut pieces = wire.chunks(cut.max(1));
        loop {
            let (skip, next) = reader.next(&held)?;
            held.drain(..skip);
            match next {
                Next::Data(length) => body.extend(held.drain(..length)),
                Next::End(fields) => {
                    let names = fields.map(|fields| {
                        let name = |field: crate::head::Field<'_>| {
                            String::from_utf8_lossy(field.name).into_owned()
                        };
                        fields.iter().map(name).collect()
                    });
                    return Ok((body, names.unwrap_or_default()));
                }
                Next::More => match pieces.next() {
                    Some(piece) => held.extend_from_slice(piece),
                    None => {
                        reader.close()?;
                        return Ok((body, Vec::new()));
                    }
                },
            }
        }
    }

    #[test]
    fn chunks_are_put_together_however_they_are_cut() {
        let wire = b"5\r\nhello\r\n6;ext=\"x\"\r\n world\r\n0\r\nX-One: 1\r\nHost: evil\r\n\r\n";
        for cut in 1..wire.len() {
            let (body, trailers) = read(BodyReader::chunked(), wire, cut).unwrap();
            assert_eq!(body, b"hello world", "{cut}");
            assert_eq!(trailers, ["x-one"], "{cut}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for wire in [
            "zz\r\n",
            "-5\r\nhello",
            "+5\r\n",
            "0x5\r\n",
            "5\r\nhelloXX0\r\n\r\n",
            "5 5\r\nhello",
            "5\nhello",
            "10000000000000005\r\n",
            "\r\n",
            "5;a\0b\r\nhello",
            "0\r\nno colon\r\n\r\n",
            "0\r\nX: 1\r\n folded\r\n\r\n",
        ] {
            assert!(read(BodyReader::chunked(), wire.as_bytes(), 3).is_err(), "{wire:?}");
        }
        let long = format!("5;{}\r\n", "e".repeat(LONGEST_SIZE_LINE));
        assert!(read(BodyReader::chunked(), long.as_bytes(), 1000).is_err());
        let long = format!("0\r\nX: {}\r\n\r\n", "e".repeat(LONGEST_TRAILERS));
        assert!(read(BodyReader::chunked(), long.as_bytes(), 1000).is_err());
    }

    #[test]
    fn an_early_end_is_an_error_unless_it_is_the_end() {
        assert!(read(BodyReader::length(5), b"four", 2).is_err());
        assert!(read(BodyReader::chunked(), b"5\r\nhello\r\n", 2).is_err());
        assert_eq!(read(BodyReader::until_close(), b"all of it", 2).unwrap().0, b"all of it");
        assert_eq!(read(BodyReader::length(4), b"four and more", 3).unwrap().0, b"four");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(wire: Vec<u8>, cut in 1_usize..20) {
            drop(read(BodyReader::chunked(), &wire, cut));
        }
    }
}
