//! HTTP/1.1: the requests of a connection, one after the other.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http::Version;
use tokio::io::AsyncWrite;
use tokio::time::{Instant, timeout};

use crate::connection::{Connection, Listener};
use crate::downstream::{ClientError, Downstream, Framing, Piece};
use crate::fault::Fault;
use crate::h1::{self, BodyReader, BodyWriter, Next, has_token};
use crate::head::{Fields, Known, RequestHead, ResponseHead};
use crate::patience::Patience;
use crate::stream::{GatheringStream, HIGH_WATER};
use crate::tunnel::Side;
use crate::{admin, plain, proxy};

/// Read at once of a head, and of a body.
const PIECE: usize = 8 * 1024;
const BODY_PIECE: usize = 64 * 1024;

/// How long a client may take to receive the end of an answer: at most 64 KiB that wait to be sent,
/// and the last words of a connection that is closed.
const LAST_FLUSH: Duration = Duration::from_secs(60);

/// Serves a connection until its end. Each request is served by the configuration that is published
/// when its head has been read.
pub(crate) async fn http1(stream: GatheringStream, first: &Connection) {
    let mut draining = pin!(first.draining());
    let mut head = RequestHead::default();
    let mut wire = Box::new(Wire::new(stream, first));
    let mut renewed: Option<Box<Connection>> = None;
    loop {
        let connection = renewed.as_deref().unwrap_or(first);
        let read = wire.next_head(&mut head, connection, draining.as_mut()).await;
        if let Some(newer) = connection.renewed() {
            renewed = Some(Box::new(newer));
        }
        let connection = renewed.as_deref().unwrap_or(first);
        match read {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => {
                let request = Http1Request::unreadable(wire);
                if let Some(told) = Box::pin(proxy::refuse_head(request, connection, fault)).await {
                    told.finish().await;
                }
                return;
            }
        }
        let (request, flaw) = Http1Request::new(wire, &head, connection);
        // In a box, which a silent connection does not hold.
        let answering = Box::pin(answer(request, &head, flaw, connection));
        let Some(answered) = answering.await else { return };
        let Some(kept) = answered.finish().await else { return };
        wire = kept;
    }
}

async fn answer(
    request: Http1Request,
    head: &RequestHead,
    flaw: Option<Fault>,
    connection: &Connection,
) -> Option<Http1Request> {
    match connection.listener {
        Listener::Https => proxy::serve(request, head, flaw, connection).await,
        Listener::Http => Box::pin(plain::serve(request, head, flaw, connection)).await,
        Listener::Admin => Box::pin(admin::serve(request, head, flaw, connection)).await,
    }
}

/// A connection, and how far the request that is on it has got.
struct Wire {
    stream: Box<GatheringStream>,
    /// Read, and not yet made sense of. Empty and without room while the client is silent.
    buffer: BytesMut,
    patience: Patience,
    turn: Turn,
}

impl Wire {
    fn new(stream: GatheringStream, connection: &Connection) -> Self {
        let limit = connection.snapshot.server.timeouts.keepalive;
        let patience = Patience::new(Instant::now(), limit);
        let turn = Turn::new(Version::HTTP_11, Framing::Empty, false);
        Self { stream: Box::new(stream), buffer: BytesMut::new(), patience, turn }
    }

    /// Waits for the head of a request: in silence for as long as `keepalive` allows; from its first
    /// byte on for as long as `header` allows, however the bytes trickle in. `Ok(false)`: the
    /// connection ended where it may end, between two requests, or there is nobody left to be told.
    async fn next_head(
        &mut self,
        head: &mut RequestHead,
        connection: &Connection,
        mut draining: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<bool, Fault> {
        let limits = &connection.snapshot.server.timeouts;
        let mut begun = !self.buffer.is_empty();
        let limit = if begun { limits.header } else { limits.keepalive };
        self.patience.allow(Instant::now(), limit);
        if let Some(whole) = self.parse(head)? {
            return Ok(whole);
        }
        poll_fn(|cx| {
            if self.buffer.is_empty() && self.stream.poll_readable(cx).is_pending() {
                // A silent connection holds no buffer, of its next head either.
                *head = RequestHead::default();
            }
            while let Poll::Ready(read) = self.poll_more(cx, PIECE) {
                if !matches!(read, Ok(1..)) {
                    return Poll::Ready(Ok(false));
                }
                if let Some(whole) = self.parse(head)? {
                    return Poll::Ready(Ok(whole));
                }
            }
            if !self.buffer.is_empty() && !begun {
                begun = true;
                self.patience.allow(Instant::now(), limits.header);
            }
            if !begun && draining.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(false));
            }
            match self.patience.poll_over(cx) {
                Poll::Ready(limit) if begun => Poll::Ready(Err(Fault::HeadTimeout(limit))),
                Poll::Ready(_) => Poll::Ready(Ok(false)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Reads a head that is whole. Only a line's end can make one whole, so whoever sends a head byte
    /// by byte does not have it looked at for each; what begins as no head does is looked at at once.
    fn parse(&mut self, head: &mut RequestHead) -> Result<Option<bool>, Fault> {
        let Some(first) = self.buffer.first() else { return Ok(None) };
        let may_be_whole = !(first.is_ascii_graphic() || first.is_ascii_whitespace())
            || self.buffer.last() == Some(&b'\n')
            || self.buffer.len() > PIECE
            || memchr::memmem::find(&self.buffer, b"\n\r\n").is_some();
        if !may_be_whole {
            return Ok(None);
        }
        let Some(length) = h1::parse_request(&self.buffer, head)? else { return Ok(None) };
        self.buffer.advance(length);
        Ok(Some(true))
    }

    /// Reads what has come, a piece of it at most. 0: nothing more will.
    fn poll_more(&mut self, cx: &mut Context<'_>, piece: usize) -> Poll<io::Result<usize>> {
        if self.buffer.is_empty() {
            // A silent connection holds no buffer.
            self.buffer = BytesMut::new();
            ready!(self.stream.poll_readable(cx))?;
        }
        self.buffer.reserve(piece);
        self.stream.poll_fill(cx, &mut self.buffer)
    }
}

/// One request and its answer, as far as the connection is concerned.
struct Turn {
    version: Version,
    framing: Framing,
    body: BodyReader,
    /// Whether the end of the body has been handed out.
    body_done: bool,
    answer: BodyWriter,
    begun: bool,
    keep: bool,
    /// Whether the client reads what stands behind a body in chunks (RFC 9110 section 6.5.1).
    takes_trailers: bool,
    half_closed: bool,
    received: u64,
    sent: u64,
}

impl Turn {
    fn new(version: Version, framing: Framing, keep: bool) -> Self {
        Self {
            version,
            framing,
            body: match framing {
                Framing::Empty => BodyReader::none(),
                Framing::Length(length) => BodyReader::length(length),
                Framing::Open => BodyReader::chunked(),
            },
            body_done: framing == Framing::Empty,
            answer: BodyWriter::None,
            begun: false,
            keep,
            takes_trailers: false,
            half_closed: false,
            received: 0,
            sent: 0,
        }
    }
}

/// One request of a connection. It has the connection for as long as it is served, in a box that
/// lasts as long as that: handing it on costs nothing.
pub(crate) struct Http1Request {
    wire: Box<Wire>,
}

impl Http1Request {
    /// The request that `head` begins, and what is wrong with how its body is delimited.
    fn new(
        mut wire: Box<Wire>,
        head: &RequestHead,
        connection: &Connection,
    ) -> (Self, Option<Fault>) {
        let (framing, flaw) = match h1::of_request(head) {
            Ok(framing) => (framing, None),
            Err(error) => (Framing::Empty, Some(error.into())),
        };
        let keep = flaw.is_none() && asks_to_stay(head) && !connection.is_leaving();
        wire.turn = Turn::new(head.version, framing, keep);
        wire.turn.takes_trailers = has_token(head.fields.all(Known::Te), b"trailers");
        (Self { wire }, flaw)
    }

    /// What was to be a request, to be told so.
    fn unreadable(mut wire: Box<Wire>) -> Self {
        wire.turn = Turn::new(Version::HTTP_11, Framing::Empty, false);
        Self { wire }
    }

    /// Sends what is left of the answer. Gives the connection back where another request may follow.
    async fn finish(mut self) -> Option<Box<Wire>> {
        // A client that takes nothing would hold its connection for ever. One that went away in the
        // last moment has had its record written as answered.
        let flushed = timeout(LAST_FLUSH, poll_fn(|cx| self.poll_flush(cx))).await;
        match flushed {
            Ok(Ok(())) if self.wire.turn.keep => Some(self.wire),
            Ok(Ok(())) => {
                Box::pin(self.wire.stream.close(u64::MAX)).await;
                None
            }
            _ => None,
        }
    }

    /// Ready when the client has gone. Its saying that it will send no more is not yet that: it may
    /// well wait for the answer.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<ClientError> {
        if !self.wire.turn.half_closed {
            // The next request may be here already; it waits for its turn.
            if !self.wire.buffer.is_empty() {
                return Poll::Pending;
            }
            match ready!(self.wire.poll_more(cx, PIECE)) {
                Ok(0) if self.wire.stream.says_goodbye() => self.wire.turn.half_closed = true,
                Ok(0) => return Poll::Ready(ClientError::Gone(gone())),
                Ok(_) => return Poll::Pending,
                Err(error) => return Poll::Ready(ClientError::Gone(error)),
            }
            self.wire.turn.keep = false;
        }
        let error = ready!(self.wire.stream.poll_closed(cx)).err().unwrap_or_else(gone);
        Poll::Ready(ClientError::Gone(error))
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed")
}

/// Whether another request may follow (RFC 9112 section 9.3).
fn asks_to_stay(head: &RequestHead) -> bool {
    if !head.fields.has(Known::Connection) {
        return head.version == Version::HTTP_11;
    }
    let says = |word| has_token(head.fields.all(Known::Connection), word);
    !says(b"close") && (head.version == Version::HTTP_11 || says(b"keep-alive"))
}

impl Downstream for Http1Request {
    fn framing(&self) -> Framing {
        self.wire.turn.framing
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, ClientError>> {
        if self.wire.turn.body_done {
            return self.poll_gone(cx).map(Err);
        }
        loop {
            let next = self.wire.turn.body.next(&self.wire.buffer);
            let (skip, next) = next.map_err(|error| ClientError::Malformed(error.0))?;
            self.wire.buffer.advance(skip);
            match next {
                Next::Data(length) => {
                    self.wire.turn.received += length as u64;
                    let piece = self.wire.buffer.split_to(length).freeze();
                    return Poll::Ready(Ok(Piece::Data(piece)));
                }
                Next::End(trailers) => {
                    self.wire.turn.body_done = true;
                    return Poll::Ready(Ok(Piece::End(trailers)));
                }
                Next::More => {}
            }
            match ready!(self.wire.poll_more(cx, BODY_PIECE)) {
                Ok(1..) => {}
                Ok(_) => return Poll::Ready(Err(ClientError::Gone(gone()))),
                Err(error) => return Poll::Ready(Err(ClientError::Gone(error))),
            }
        }
    }

    fn send_informational(&mut self, head: &ResponseHead) {
        // HTTP/1.0 knows no informational answers.
        if self.wire.turn.version == Version::HTTP_11 {
            h1::informational_head(head, self.wire.stream.gather());
        }
    }

    fn send_head(&mut self, head: &ResponseHead, ended: bool) {
        self.wire.turn.begun = true;
        // Where the request's body has not been read, nobody knows where the next one begins.
        self.wire.turn.keep &= self.wire.turn.body_done || self.wire.turn.body.is_ended();
        self.wire.turn.answer =
            if ended { BodyWriter::None } else { BodyWriter::of(head, self.wire.turn.version) };
        self.wire.turn.keep &= self.wire.turn.answer != BodyWriter::UntilClose;
        let out = self.wire.stream.gather();
        h1::answer_head(
            head,
            self.wire.turn.answer,
            self.wire.turn.version,
            self.wire.turn.keep,
            out,
        );
    }

    fn has_begun(&self) -> bool {
        self.wire.turn.begun
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, ClientError>> {
        let stream = &mut self.wire.stream;
        let taken = if self.wire.turn.answer == BodyWriter::Chunked {
            if stream.backlog() >= HIGH_WATER {
                ready!(Pin::new(&mut **stream).poll_flush(cx)).map_err(ClientError::Gone)?;
            }
            let out = stream.gather();
            self.wire.turn.answer.before(data.len(), out);
            out.extend_from_slice(data);
            self.wire.turn.answer.behind(out);
            data.len()
        } else {
            ready!(Pin::new(&mut **stream).poll_write(cx, data)).map_err(ClientError::Gone)?
        };
        self.wire.turn.sent += taken as u64;
        Poll::Ready(Ok(taken))
    }

    fn end(&mut self, trailers: Option<&Fields>) {
        let trailers = trailers.filter(|_| self.wire.turn.takes_trailers);
        self.wire.turn.answer.end(trailers, self.wire.stream.gather());
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        Pin::new(&mut *self.wire.stream).poll_flush(cx).map_err(ClientError::Gone)
    }

    fn close_after(&mut self) {
        self.wire.turn.keep = false;
    }

    fn into_tunnel(self) -> Option<Side> {
        Some(Side { stream: self.wire.stream, begun: self.wire.buffer.freeze() })
    }

    fn patience(&mut self) -> &mut Patience {
        &mut self.wire.patience
    }

    fn received(&self) -> u64 {
        self.wire.turn.received
    }

    fn sent(&self) -> u64 {
        self.wire.turn.sent
    }
}
