//! One request, as its task sees it.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::connection::Connection;
use super::frame::StreamId;
use crate::downstream::{ClientError, Downstream, Framing, Piece};
use crate::head::{Fields, RequestHead, ResponseHead};
use crate::patience::Patience;
use crate::tunnel::Side;

/// The client's side of one request. Dropped before the answer has been ended, it breaks the stream
/// off, so that no client takes what it has got for the whole.
///
/// Nobody waits for the lock: all of a connection happens on one thread, and what is done with it never
/// waits itself.
#[derive(Debug)]
pub(crate) struct Http2Request {
    connection: Arc<Mutex<Connection>>,
    stream: StreamId,
    head: RequestHead,
    framing: Framing,
    patience: Patience,
    begun: bool,
    received: u64,
    sent: u64,
}

impl Http2Request {
    pub(super) fn new(
        connection: Arc<Mutex<Connection>>,
        stream: StreamId,
        head: RequestHead,
        framing: Framing,
    ) -> Self {
        let patience = Patience::new(Instant::now(), Duration::ZERO);
        Self { connection, stream, head, framing, patience, begun: false, received: 0, sent: 0 }
    }

    /// The request's head, which is to be given back by [`Self::recycle`].
    pub(crate) fn take_head(&mut self) -> RequestHead {
        std::mem::take(&mut self.head)
    }

    /// Ends the request, and leaves its head's buffers to the next.
    pub(crate) fn recycle(mut self, head: RequestHead) {
        self.head = head;
    }
}

impl Downstream for Http2Request {
    fn framing(&self) -> Framing {
        self.framing
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, ClientError>> {
        let piece = ready!(self.connection.lock().poll_body(self.stream, cx));
        if let Ok(Piece::Data(data)) = &piece {
            self.received += data.len() as u64;
        }
        Poll::Ready(piece)
    }

    fn send_informational(&mut self, head: &ResponseHead) {
        self.connection.lock().send_informational(self.stream, head);
    }

    fn send_head(&mut self, head: &ResponseHead, ended: bool) {
        self.begun = true;
        self.connection.lock().send_head(self.stream, head, ended);
    }

    fn has_begun(&self) -> bool {
        self.begun
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, ClientError>> {
        let taken = ready!(self.connection.lock().poll_send(self.stream, cx, data))?;
        self.sent += taken as u64;
        Poll::Ready(Ok(taken))
    }

    fn end(&mut self, trailers: Option<&Fields>) {
        self.connection.lock().end(self.stream, trailers);
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        // The connection's task has been woken by what was sent.
        self.connection.lock().poll_flush(self.stream)
    }

    fn close_after(&mut self) {
        // A connection is for many requests; it is told by GOAWAY, and not by one of them.
    }

    fn into_tunnel(self) -> Option<Side> {
        // WebSockets over HTTP/2 (RFC 8441) are not offered to clients.
        None
    }

    fn patience(&mut self) -> &mut Patience {
        &mut self.patience
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn sent(&self) -> u64 {
        self.sent
    }
}

impl Drop for Http2Request {
    fn drop(&mut self) {
        let head = std::mem::take(&mut self.head);
        self.connection.lock().release(self.stream, head);
    }
}
