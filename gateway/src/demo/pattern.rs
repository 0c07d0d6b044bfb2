//! A body of any length that is never in memory: byte `i` is `i` modulo [`PERIOD`], so that a
//! reader can tell a lost, doubled or misplaced piece from the bytes alone.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// After how many bytes the pattern repeats: a prime, so that no buffer's size is a multiple of it.
pub(super) const PERIOD: u64 = 251;

/// Bytes handed over at a time.
const CHUNK: usize = 64 * 1024;

/// A chunk can begin at any place of the pattern, so what chunks are cut from is one period longer.
static PATTERN: [u8; CHUNK + PERIOD as usize] = pattern();

const fn pattern() -> [u8; CHUNK + PERIOD as usize] {
    let mut bytes = [0; CHUNK + PERIOD as usize];
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = (i % PERIOD as usize) as u8;
        i += 1;
    }
    bytes
}

/// The body.
#[derive(Debug)]
pub(super) struct Pattern {
    sent: u64,
    length: u64,
}

impl Pattern {
    /// The first `length` bytes of the pattern.
    pub(super) fn new(length: u64) -> Self {
        Self { sent: 0, length }
    }

    fn left(&self) -> u64 {
        self.length - self.sent
    }
}

impl Body for Pattern {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = self.left().min(CHUNK as u64);
        if chunk == 0 {
            return Poll::Ready(None);
        }
        let start = (self.sent % PERIOD) as usize;
        self.sent += chunk;
        let bytes = Bytes::from_static(&PATTERN[start..start + chunk as usize]);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}
