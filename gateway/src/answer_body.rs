//! An answer's body on its way from the upstream to the client: as it came, or compressed.

use std::io;
use std::task::{Context, Poll, ready};

use crate::encoder::Encoder;
use crate::head::Fields;
use crate::policy::compress::Encoding;
use crate::upstream::{AnswerError, AnswerPiece, Session};

/// Compressed at once.
const PIECE: usize = 16 * 1024;

/// Compressed before others have their turn: what an upstream close by sends never lets up.
const TURN: usize = 8 * PIECE;

/// Why there is no more of a body.
#[derive(Debug)]
pub(crate) enum BodyError {
    Answer(AnswerError),
    Encoder(io::Error),
}

impl From<AnswerError> for BodyError {
    fn from(error: AnswerError) -> Self {
        Self::Answer(error)
    }
}

/// How an answer's body reaches the client. It takes of the upstream what the client takes of it.
#[derive(Default)]
pub(crate) enum AnswerBody {
    #[default]
    AsItCame,
    Compressed(Box<Compressed>),
}

/// A body that is compressed on its way.
pub(crate) struct Compressed {
    encoder: Encoder,
    /// The end has been read; what stood behind the body.
    ended: Option<Option<Box<Fields>>>,
}

impl AnswerBody {
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn new(encoding: Option<Encoding>) -> io::Result<Self> {
        let Some(encoding) = encoding else { return Ok(Self::AsItCame) };
        let encoder = Encoder::new(encoding)?;
        Ok(Self::Compressed(Box::new(Compressed { encoder, ended: None })))
    }

    /// The next piece for the client, once the last has been consumed.
    pub(crate) fn poll(
        &mut self,
        upstream: &mut Session,
        cx: &mut Context<'_>,
    ) -> Poll<Result<AnswerPiece, BodyError>> {
        match self {
            Self::AsItCame => upstream.poll_body(cx).map_err(BodyError::Answer),
            Self::Compressed(compressed) => compressed.poll(upstream, cx),
        }
    }

    /// The piece that [`Self::poll`] has found.
    pub(crate) fn piece<'p>(&'p self, upstream: &'p Session) -> &'p [u8] {
        match self {
            Self::AsItCame => upstream.piece(),
            Self::Compressed(compressed) => compressed.encoder.output(),
        }
    }

    /// So many bytes of the piece have been passed on.
    pub(crate) fn consume(&mut self, upstream: &mut Session, bytes: usize) {
        match self {
            Self::AsItCame => upstream.consume(bytes),
            Self::Compressed(compressed) => compressed.encoder.consume(bytes),
        }
    }
}

impl Compressed {
    fn poll(
        &mut self,
        upstream: &mut Session,
        cx: &mut Context<'_>,
    ) -> Poll<Result<AnswerPiece, BodyError>> {
        let mut turn = 0;
        loop {
            if !self.encoder.output().is_empty() {
                return Poll::Ready(Ok(AnswerPiece::Data));
            }
            if let Some(trailers) = &mut self.ended {
                return Poll::Ready(Ok(AnswerPiece::End(trailers.take())));
            }
            if turn >= TURN {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match ready!(self.poll_read(upstream, cx)?) {
                0 => {}
                read => turn += read,
            }
        }
    }

    /// Compresses what the upstream has sent. While it is silent, everything that has come is made to
    /// go on: who waits for the next line of a slow answer has seen the one before.
    fn poll_read(
        &mut self,
        upstream: &mut Session,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, BodyError>> {
        match upstream.poll_body(cx)? {
            Poll::Ready(AnswerPiece::Data) => {
                let piece = upstream.piece();
                let piece = piece.get(..PIECE).unwrap_or(piece);
                self.encoder.write(piece).map_err(BodyError::Encoder)?;
                let read = piece.len();
                upstream.consume(read);
                Poll::Ready(Ok(read))
            }
            Poll::Ready(AnswerPiece::End(trailers)) => {
                self.encoder.finish().map_err(BodyError::Encoder)?;
                self.ended = Some(trailers);
                Poll::Ready(Ok(0))
            }
            Poll::Pending => {
                self.encoder.flush().map_err(BodyError::Encoder)?;
                if self.encoder.output().is_empty() { Poll::Pending } else { Poll::Ready(Ok(0)) }
            }
        }
    }
}
