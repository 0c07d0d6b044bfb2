//! One request to a server, and its answer, in HTTP/1.1 over a connection that others may use
//! afterwards.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, StatusCode, Version};

use super::session::{AnswerError, AnswerPiece};
use crate::downstream::Framing;
use crate::h1::{self, BodyReader, BodyWriter, Next};
use crate::head::{Fields, Known, RequestHead, ResponseHead};
use crate::headers::request::{Forwarding, for_upstream};
use crate::stream::GatheringStream;

/// Read at once while a head is awaited; most answers are no longer altogether.
const HEAD_PIECE: usize = 8 * 1024;

/// Read at once of a body.
const BODY_PIECE: usize = 64 * 1024;

/// One request over a connection.
#[derive(Debug)]
pub(crate) struct Http1 {
    stream: Box<GatheringStream>,
    buffer: BytesMut,
    body: BodyReader,
    /// Bytes at the buffer's front that are the body's and have not been consumed.
    piece: usize,
    /// How the request's body is framed.
    upload: BodyWriter,
    /// Whether the server lets another request follow.
    stays: bool,
}

impl Http1 {
    pub(super) fn new(stream: Box<GatheringStream>) -> Self {
        let (buffer, body, upload) = (BytesMut::new(), BodyReader::none(), BodyWriter::None);
        Self { stream, buffer, body, piece: 0, upload, stays: false }
    }

    /// Begins a request. Its head is sent when the answer is waited for.
    pub(super) fn begin(&mut self, asked: &RequestHead, forwarding: &Forwarding<'_>) {
        self.upload = match forwarding.body {
            Framing::Empty => BodyWriter::None,
            Framing::Length(_) => BodyWriter::Length,
            Framing::Open => BodyWriter::Chunked,
        };
        for_upstream(asked, forwarding, self.stream.gather());
    }

    /// Begins a request that has no body and whose head has been written already.
    pub(super) fn begin_with(&mut self, head: &[u8]) {
        self.stream.gather().extend_from_slice(head);
    }

    /// Sends a piece of the request's body, or keeps it to be sent.
    pub(super) fn send(&mut self, cx: &mut Context<'_>, mut data: &[u8]) -> io::Result<()> {
        use tokio::io::AsyncWrite;
        if self.upload == BodyWriter::Chunked {
            self.upload.before(data.len(), self.stream.gather());
        }
        while !data.is_empty() {
            match std::pin::Pin::new(&mut *self.stream).poll_write(cx, data)? {
                Poll::Ready(taken) => data = data.get(taken..).unwrap_or_default(),
                // The stream of an upstream takes everything.
                Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
            }
        }
        if self.upload == BodyWriter::Chunked {
            self.upload.behind(self.stream.gather());
        }
        Ok(())
    }

    /// Says that the request's body is whole.
    pub(super) fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        if self.stream.has_failed() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.upload == BodyWriter::Chunked {
            self.upload.end(trailers, self.stream.gather());
        }
        Ok(())
    }

    /// Bytes of the request that the server has not taken.
    pub(super) fn backlog(&self) -> usize {
        self.stream.backlog()
    }

    /// Reads the next head, informational ones too.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        method: &Method,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), AnswerError>> {
        loop {
            if !self.buffer.is_empty()
                && let Some((length, version)) = h1::parse_answer(&self.buffer, head)?
            {
                self.buffer.advance(length);
                self.body = h1::of_answer(head, method)?;
                h1::one_length(&mut head.fields);
                self.stays = stays(head, version);
                return Poll::Ready(Ok(()));
            }
            self.buffer.reserve(HEAD_PIECE);
            let read = ready!(self.stream.poll_fill(cx, &mut self.buffer));
            match read {
                Ok(0) if self.buffer.is_empty() => return Poll::Ready(Err(closed())),
                Ok(0) => {
                    let reason = "it ended in the middle of its head";
                    return Poll::Ready(Err(AnswerError::NotHttp(reason)));
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(AnswerError::Closed(error))),
            }
        }
    }

    /// Reads the next piece of the answer's body, once the last has been consumed.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<AnswerPiece, AnswerError>> {
        if self.piece > 0 {
            return Poll::Ready(Ok(AnswerPiece::Data));
        }
        loop {
            let (skip, next) = self.body.next(&self.buffer)?;
            self.buffer.advance(skip);
            match next {
                Next::Data(length) => {
                    self.piece = length;
                    return Poll::Ready(Ok(AnswerPiece::Data));
                }
                Next::End(trailers) => return Poll::Ready(Ok(AnswerPiece::End(trailers))),
                Next::More => {}
            }
            self.buffer.reserve(BODY_PIECE);
            match ready!(self.stream.poll_fill(cx, &mut self.buffer)) {
                Ok(0) => match self.body.close() {
                    Ok(()) => self.stays = false,
                    Err(_) => return Poll::Ready(Err(closed())),
                },
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(AnswerError::Closed(error))),
            }
        }
    }

    /// The piece of the body that [`Self::poll_body`] has read.
    pub(super) fn piece(&self) -> &[u8] {
        &self.buffer[..self.piece]
    }

    /// So many bytes of the piece have been passed on.
    pub(super) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.piece);
        self.piece -= bytes;
        self.buffer.advance(bytes);
    }

    /// Whether the answer has a body that is still to be read.
    pub(super) fn has_body(&self) -> bool {
        !self.body.is_ended()
    }

    /// The connection for another protocol, with what has been read of it already.
    pub(super) fn into_parts(mut self) -> (Box<GatheringStream>, Bytes) {
        self.stream.wait_to_write();
        (self.stream, self.buffer.freeze())
    }

    /// The connection for another request, where nothing was left unsaid on it.
    pub(super) fn into_idle(self) -> Option<Box<GatheringStream>> {
        let quiet = self.buffer.is_empty() && self.body.is_ended() && self.piece == 0;
        let sent = self.stream.backlog() == 0 && !self.stream.has_failed();
        (self.stays && quiet && sent).then_some(self.stream)
    }
}

fn closed() -> AnswerError {
    AnswerError::Closed(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"))
}

/// Whether a connection stays open behind an answer (RFC 9112 section 9.3).
fn stays(head: &ResponseHead, version: Version) -> bool {
    let says = |word| h1::has_token(head.fields.all(Known::Connection), word);
    match version {
        _ if head.status == StatusCode::SWITCHING_PROTOCOLS => false,
        Version::HTTP_10 => says(b"keep-alive") && !says(b"close"),
        _ => !head.fields.has(Known::Connection) || !says(b"close"),
    }
}
