//! The chunked coding (RFC 9112, section 7.1), however it is cut into pieces.

use super::Failure;

/// Trailers and extensions that are longer are not waited for.
const LONGEST_LINE: usize = 8 << 10;

/// Where in a chunked body the next byte is.
#[derive(Debug)]
pub(super) enum Chunked {
    /// In the digits of a size.
    Size {
        size: u64,
        digits: u8,
    },
    /// Behind them, up to the end of the line.
    Extension {
        size: u64,
        length: usize,
    },
    Data(u64),
    /// In the line end behind a chunk's data.
    DataEnd,
    /// In the lines behind the last chunk; how long this line is.
    Trailer(usize),
    /// Behind the body.
    End,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self::Size { size: 0, digits: 0 }
    }

    /// Takes a piece. What is behind the body's end, and whether that was reached.
    pub(super) fn take<'i>(
        &mut self,
        mut input: &'i [u8],
        mut see: impl FnMut(&[u8]),
    ) -> Result<(&'i [u8], bool), Failure> {
        while let Some((&byte, rest)) = input.split_first() {
            if let Self::Data(left) = self {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                see(&input[..here]);
                *left -= here as u64;
                if *left == 0 {
                    *self = Self::DataEnd;
                }
                input = &input[here..];
                continue;
            }
            self.step(byte)?;
            input = rest;
            if matches!(self, Self::End) {
                return Ok((input, true));
            }
        }
        Ok((input, false))
    }

    /// A byte that is no data.
    fn step(&mut self, byte: u8) -> Result<(), Failure> {
        *self = match (&*self, byte) {
            (Self::Size { digits: 0, .. }, byte) if !byte.is_ascii_hexdigit() => {
                return Err(broken());
            }
            (Self::Size { size, digits }, byte) => match char::from(byte).to_digit(16) {
                Some(_) if *digits == 15 => return Err(broken()),
                Some(digit) => {
                    Self::Size { size: size * 16 + u64::from(digit), digits: digits + 1 }
                }
                None => Self::after_size(*size, byte),
            },
            (Self::Extension { size, .. }, b'\n') => Self::after_size(*size, byte),
            (Self::Extension { length: LONGEST_LINE, .. }, _) => return Err(broken()),
            (Self::Extension { size, length }, _) => {
                Self::Extension { size: *size, length: length + 1 }
            }
            (Self::DataEnd, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::new(),
            (Self::DataEnd, _) => return Err(broken()),
            (Self::Trailer(0), b'\n') => Self::End,
            (Self::Trailer(_), b'\n') => Self::Trailer(0),
            (Self::Trailer(length), b'\r') => Self::Trailer(*length),
            (Self::Trailer(LONGEST_LINE), _) => return Err(broken()),
            (Self::Trailer(length), _) => Self::Trailer(length + 1),
            (Self::Data(_) | Self::End, _) => return Err(broken()),
        };
        Ok(())
    }

    fn after_size(size: u64, byte: u8) -> Self {
        match (byte, size) {
            (b'\n', 0) => Self::Trailer(0),
            (b'\n', size) => Self::Data(size),
            (_, size) => Self::Extension { size, length: 0 },
        }
    }
}

fn broken() -> Failure {
    Failure::protocol("the answer's chunks are not as HTTP/1.1 has them")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8], pieces: usize) -> Result<(Vec<u8>, Vec<u8>, bool), Failure> {
        let (mut chunked, mut body, mut behind, mut over) = (Chunked::new(), vec![], vec![], false);
        for piece in text.chunks(pieces) {
            if over {
                behind.extend_from_slice(piece);
                continue;
            }
            let (rest, is_whole) = chunked.take(piece, |data| body.extend_from_slice(data))?;
            behind.extend_from_slice(rest);
            over = is_whole;
        }
        Ok((body, behind, over))
    }

    #[test]
    fn bodies_are_joined_however_they_are_cut() {
        let text = b"5;a=b\r\nhello\r\n0A\r\n 0123456\r\n\r\n0\r\nx: y\r\n\r\nnext";
        for pieces in 1..=text.len() {
            let (body, behind, over) = decoded(text, pieces).unwrap();
            assert_eq!(
                (body.as_slice(), behind.as_slice()),
                (&b"hello 0123456\r\n"[..], &b"next"[..])
            );
            assert!(over);
        }
    }

    #[test]
    fn what_is_not_chunked_is_refused() {
        for text in ["hello", "\r\n", "5\r\nhelloX", "fffffffffffffffff\r\n", "-1\r\n"] {
            assert!(decoded(text.as_bytes(), text.len()).is_err(), "{text:?}");
        }
        assert!(!decoded(b"5\r\nhel", 7).unwrap().2);
    }
}
