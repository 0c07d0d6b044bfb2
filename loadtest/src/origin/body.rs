//! Where a request's body ends (RFC 9112, sections 6 and 7).

use httparse::{Header, Status};

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Empty,
    Length(u64),
    Chunked,
}

impl Framing {
    /// # Errors
    /// What is wrong, as a sentence.
    pub(super) fn of(headers: &[Header<'_>]) -> Result<Self, &'static str> {
        let is = |header: &&Header<'_>, name| header.name.eq_ignore_ascii_case(name);
        if let Some(coding) = headers.iter().find(|header| is(header, "transfer-encoding")) {
            let chunked = coding.value.eq_ignore_ascii_case(b"chunked");
            return chunked.then_some(Self::Chunked).ok_or("only chunked is known");
        }
        let Some(length) = headers.iter().find(|header| is(header, "content-length")) else {
            return Ok(Self::Empty);
        };
        let length = std::str::from_utf8(length.value).ok().and_then(|text| text.parse().ok());
        match length {
            Some(0) => Ok(Self::Empty),
            Some(length) => Ok(Self::Length(length)),
            None => Err("content-length is not a number"),
        }
    }
}

/// A body on its way in.
#[derive(Debug)]
pub(super) struct Incoming {
    part: Part,
    /// Bytes of content so far.
    pub(super) received: u64,
}

#[derive(Debug)]
enum Part {
    /// This much of a body with a length, after which it is over.
    Last(u64),
    /// The line with a chunk's size.
    Size,
    /// This much of a chunk and the line's end behind it.
    Chunk(u64),
    /// The lines behind the last chunk.
    Trailer,
    Over,
}

/// A chunk's size or its end is not what RFC 9112 says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotChunked;

impl Incoming {
    pub(super) fn new(framing: Framing) -> Self {
        let part = match framing {
            Framing::Empty => Part::Over,
            Framing::Length(length) => Part::Last(length),
            Framing::Chunked => Part::Size,
        };
        Self { part, received: 0 }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.part, Part::Over)
    }

    /// Takes what belongs to the body off the front of `bytes` and says how much that was. Less than
    /// all, and the body not over: the rest is the beginning of a line.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, NotChunked> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let step = match &mut self.part {
                Part::Over => break,
                Part::Last(left) => {
                    let step = shorter(*left, rest.len());
                    *left -= step as u64;
                    self.received += step as u64;
                    if *left == 0 {
                        self.part = Part::Over;
                    }
                    step
                }
                Part::Chunk(left) => {
                    let step = shorter(*left, rest.len());
                    // The last two are the line's end.
                    let content = left.saturating_sub(2).min(step as u64);
                    *left -= step as u64;
                    self.received += content;
                    if *left == 0 {
                        self.part = Part::Size;
                    }
                    step
                }
                Part::Size => match httparse::parse_chunk_size(rest).map_err(|_| NotChunked)? {
                    Status::Partial => break,
                    Status::Complete((step, size)) => {
                        self.part = if size == 0 { Part::Trailer } else { Part::Chunk(size + 2) };
                        step
                    }
                },
                Part::Trailer => {
                    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
                    if rest.starts_with(b"\r\n") {
                        self.part = Part::Over;
                    }
                    end + 1
                }
            };
            taken += step;
        }
        Ok(taken)
    }
}

fn shorter(left: u64, available: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(available)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` in pieces of `size` bytes; the content's length, and what was not taken.
    fn fed(framing: Framing, text: &str, size: usize) -> Result<(u64, String, bool), NotChunked> {
        let mut body = Incoming::new(framing);
        let mut waiting = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            waiting.extend_from_slice(piece);
            let taken = body.take(&waiting)?;
            waiting.drain(..taken);
        }
        Ok((body.received, String::from_utf8(waiting).unwrap(), body.is_over()))
    }

    #[test]
    fn a_length_leaves_the_next_request_alone() {
        for size in 1..9 {
            let end = fed(Framing::Length(5), "helloGET", size).unwrap();
            assert_eq!(end, (5, "GET".into(), true), "in pieces of {size}");
        }
    }

    #[test]
    fn chunks_are_counted_without_their_frames_however_they_are_cut() {
        let text = "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nTrailer: x\r\n\r\nGET";
        for size in 1..text.len() {
            let end = fed(Framing::Chunked, text, size).unwrap();
            assert_eq!(end, (6, "GET".into(), true), "in pieces of {size}");
        }
    }

    #[test]
    fn nonsense_is_no_chunk() {
        assert_eq!(fed(Framing::Chunked, "zz\r\n", 4), Err(NotChunked));
    }
}
