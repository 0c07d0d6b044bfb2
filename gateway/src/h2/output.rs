//! What waits to be written.

use super::frame::{self, END_HEADERS, END_STREAM, HEAD_LENGTH, Kind, MAX_PAYLOAD, StreamId};

/// Bytes of a buffer that are kept for the next time.
const KEPT: usize = 64 * 1024;

/// Frames, one behind the other, of all streams of a connection.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    written: usize,
    /// The last frame, where its stream's end can still be told by a flag of it: the stream, and where
    /// its flags stand.
    last: Option<(StreamId, usize)>,
}

impl Output {
    /// What is to be written next.
    pub(crate) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So much has been written.
    pub(crate) fn advance(&mut self, length: usize) {
        self.written = (self.written + length).min(self.bytes.len());
        self.last = self.last.filter(|(_, flags)| *flags >= self.written);
        if self.is_empty() {
            self.discard();
            if self.bytes.capacity() > KEPT {
                self.bytes = Vec::new();
            }
        } else if self.written > KEPT {
            self.bytes.drain(..self.written);
            self.last = self.last.map(|(stream, flags)| (stream, flags - self.written));
            self.written = 0;
        }
    }

    /// Forgets what has not been written: nobody will read it.
    pub(crate) fn discard(&mut self) {
        self.bytes.clear();
        self.written = 0;
        self.last = None;
    }

    /// Gives the room back, for as long as nothing happens.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() {
            self.bytes = Vec::new();
        }
    }

    /// A frame that ends nothing.
    pub(crate) fn frame(&mut self, kind: Kind, flags: u8, stream: StreamId, payload: &[u8]) {
        self.bytes.extend_from_slice(&frame::head(kind, flags, stream, payload.len()));
        self.bytes.extend_from_slice(payload);
        self.last = None;
    }

    /// A frame of data.
    pub(crate) fn data(&mut self, stream: StreamId, ended: bool, payload: &[u8]) {
        let flags = self.bytes.len() + 4;
        self.frame(Kind::Data, if ended { END_STREAM } else { 0 }, stream, payload);
        self.last = Some((stream, flags));
    }

    /// A header block, in as many frames as it takes.
    pub(crate) fn block(
        &mut self,
        stream: StreamId,
        ended: bool,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        let ended = if ended { END_STREAM } else { 0 };
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEAD_LENGTH]);
        encode(&mut self.bytes);
        let length = self.bytes.len() - start - HEAD_LENGTH;
        if length > MAX_PAYLOAD {
            let block = self.bytes.split_off(start + HEAD_LENGTH);
            self.bytes.truncate(start);
            self.continued(stream, ended, &block);
        } else {
            let head = frame::head(Kind::Headers, ended | END_HEADERS, stream, length);
            self.bytes[start..start + HEAD_LENGTH].copy_from_slice(&head);
        }
        // The flag for the end stands in HEADERS, and not in the frames that continue it.
        self.last = Some((stream, start + 4));
    }

    fn continued(&mut self, stream: StreamId, ended: u8, block: &[u8]) {
        let mut kind = (Kind::Headers, ended);
        let mut fragments = block.chunks(MAX_PAYLOAD).peekable();
        while let Some(fragment) = fragments.next() {
            let last = if fragments.peek().is_none() { END_HEADERS } else { 0 };
            self.frame(kind.0, kind.1 | last, stream, fragment);
            kind = (Kind::Continuation, 0);
        }
    }

    /// The stream's last frame was its last one.
    pub(crate) fn end(&mut self, stream: StreamId) {
        match self.last {
            Some((last, flags)) if last == stream => self.bytes[flags] |= END_STREAM,
            _ => self.data(stream, true, &[]),
        }
    }
}
