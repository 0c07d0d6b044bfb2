//! A request that has been let in, as what passes it on sees it: with its body read already, where
//! that was looked at, and with what is to be added to its answer.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;

use super::held::HeldBody;
use crate::downstream::{ClientError, Downstream, Framing, Piece};
use crate::head::{Fields, Known, ResponseHead};
use crate::patience::Patience;
use crate::tunnel::Side;

/// The client's side of a request that has been let in.
pub(crate) struct Entered<'d, D> {
    inner: &'d mut D,
    held: Option<Held>,
    cookies: Vec<Vec<u8>>,
    status: Option<StatusCode>,
}

/// A body that has been read.
struct Held {
    length: u64,
    pieces: VecDeque<Piece>,
    /// It still takes its room.
    _body: HeldBody,
}

impl<'d, D: Downstream> Entered<'d, D> {
    /// `cookies`: what the answer sets besides its own.
    pub(crate) fn new(inner: &'d mut D, body: Option<HeldBody>, cookies: Vec<Vec<u8>>) -> Self {
        Self { inner, held: body.map(Held::of), cookies, status: None }
    }

    /// The status of the answer, where one has begun.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.status
    }
}

/// What is handed over at once.
const PIECE: usize = 64 * 1024;

impl Held {
    fn of(mut body: HeldBody) -> Self {
        let whole: &Bytes = &body.data;
        let length = whole.len() as u64;
        let starts = (0..whole.len()).step_by(PIECE);
        let pieces = starts.map(|at| whole.slice(at..whole.len().min(at + PIECE)));
        let mut pieces: VecDeque<Piece> = pieces.map(Piece::Data).collect();
        if length > 0 {
            pieces.push_back(Piece::End(body.trailers.take()));
        }
        Self { length, pieces, _body: body }
    }
}

impl<D: Downstream> Downstream for Entered<'_, D> {
    fn framing(&self) -> Framing {
        match &self.held {
            None => self.inner.framing(),
            Some(held) if held.length == 0 => Framing::Empty,
            Some(held) => Framing::Length(held.length),
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, ClientError>> {
        match self.held.as_mut().and_then(|held| held.pieces.pop_front()) {
            Some(piece) => Poll::Ready(Ok(piece)),
            None => self.inner.poll_body(cx),
        }
    }

    fn send_informational(&mut self, head: &ResponseHead) {
        self.inner.send_informational(head);
    }

    fn send_head(&mut self, head: &ResponseHead, ended: bool) {
        self.status = Some(head.status);
        if self.cookies.is_empty() {
            return self.inner.send_head(head, ended);
        }
        let mut head = head.clone();
        for cookie in self.cookies.drain(..) {
            head.fields.add_known(Known::SetCookie, &cookie);
        }
        self.inner.send_head(&head, ended);
    }

    fn has_begun(&self) -> bool {
        self.inner.has_begun()
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, ClientError>> {
        self.inner.poll_send(cx, data)
    }

    fn end(&mut self, trailers: Option<&Fields>) {
        self.inner.end(trailers);
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        self.inner.poll_flush(cx)
    }

    fn close_after(&mut self) {
        self.inner.close_after();
    }

    fn into_tunnel(self) -> Option<Side> {
        // The connection is given away by whoever owns it.
        None
    }

    fn patience(&mut self) -> &mut Patience {
        self.inner.patience()
    }

    fn received(&self) -> u64 {
        self.inner.received()
    }

    fn sent(&self) -> u64 {
        self.inner.sent()
    }
}
