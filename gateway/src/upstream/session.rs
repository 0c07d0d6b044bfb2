//! One request to a server, and its answer, whichever protocol carries them.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Method;

use super::http1::Http1;
use super::http2;
use crate::fault::Fault;
use crate::h1::{BodyError, FramingError, HeadError};
use crate::head::{Fields, RequestHead, ResponseHead};
use crate::headers::request::Forwarding;
use crate::stream::GatheringStream;

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    #[error("{0}")]
    Closed(io::Error),
    #[error("{0}")]
    NotHttp(&'static str),
}

impl From<HeadError> for AnswerError {
    fn from(error: HeadError) -> Self {
        Self::NotHttp(match error {
            HeadError::TooLarge => "its head is too large",
            HeadError::Malformed(what) => what,
        })
    }
}

impl From<FramingError> for AnswerError {
    fn from(error: FramingError) -> Self {
        Self::NotHttp(match error {
            FramingError::Coding => "its transfer coding is not `chunked`",
            FramingError::Malformed(what) => what,
        })
    }
}

impl From<BodyError> for AnswerError {
    fn from(error: BodyError) -> Self {
        Self::NotHttp(error.0)
    }
}

/// What comes next of an answer's body.
#[derive(Debug)]
pub(crate) enum AnswerPiece {
    /// Bytes of it, which [`Session::piece`] shows.
    Data,
    /// Its end.
    End(Option<Box<Fields>>),
}

/// One request.
pub(crate) enum Session {
    /// A connection of its own, while it lasts.
    Http1(Http1),
    /// A stream of a connection that others use too.
    Http2(Box<http2::Stream>),
}

impl Session {
    /// Begins a request. Its head is sent when the answer is waited for.
    ///
    /// # Errors
    /// [`Fault::Malformed`], where the server's protocol cannot say what the client's did.
    pub(crate) fn begin(
        &mut self,
        asked: &RequestHead,
        forwarding: &Forwarding<'_>,
    ) -> Result<(), Fault> {
        match self {
            Self::Http1(session) => session.begin(asked, forwarding),
            Self::Http2(stream) => stream.begin(asked, forwarding)?,
        }
        Ok(())
    }

    /// Sends a piece of the request's body, or keeps it to be sent.
    ///
    /// # Errors
    /// The server takes no more of it; it may still answer.
    pub(crate) fn send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Http1(session) => session.send(cx, data),
            Self::Http2(stream) => stream.send(cx, data),
        }
    }

    /// Says that the request's body is whole.
    ///
    /// # Errors
    /// As those of [`Self::send`].
    pub(crate) fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        match self {
            Self::Http1(session) => session.finish(trailers),
            Self::Http2(stream) => stream.finish(trailers),
        }
    }

    /// Bytes of the request that the server has not taken.
    pub(crate) fn backlog(&self) -> usize {
        match self {
            Self::Http1(session) => session.backlog(),
            Self::Http2(stream) => stream.backlog(),
        }
    }

    /// Reads the next head, informational ones too.
    pub(crate) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        method: &Method,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), AnswerError>> {
        match self {
            Self::Http1(session) => session.poll_head(cx, method, head),
            Self::Http2(stream) => stream.poll_head(cx, head),
        }
    }

    /// Reads the next piece of the answer's body, once the last has been consumed.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<AnswerPiece, AnswerError>> {
        match self {
            Self::Http1(session) => session.poll_body(cx),
            Self::Http2(stream) => stream.poll_body(cx),
        }
    }

    /// The piece of the body that [`Self::poll_body`] has read.
    pub(crate) fn piece(&self) -> &[u8] {
        match self {
            Self::Http1(session) => session.piece(),
            Self::Http2(stream) => stream.piece(),
        }
    }

    /// So many bytes of the piece have been passed on.
    pub(crate) fn consume(&mut self, bytes: usize) {
        match self {
            Self::Http1(session) => session.consume(bytes),
            Self::Http2(stream) => stream.consume(bytes),
        }
    }

    /// Whether the answer has a body that is still to be read.
    pub(crate) fn has_body(&self) -> bool {
        match self {
            Self::Http1(session) => session.has_body(),
            Self::Http2(stream) => stream.has_body(),
        }
    }

    /// The connection for another protocol, with what has been read of it already. `None` where the
    /// connection is not the request's to give away.
    pub(crate) fn into_parts(self) -> Option<(Box<GatheringStream>, Bytes)> {
        match self {
            Self::Http1(session) => Some(session.into_parts()),
            Self::Http2(_) => None,
        }
    }
}
