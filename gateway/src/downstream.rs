//! The client's side of one request, whichever protocol carries it. What decides about requests and
//! passes them on sees this and no more.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::head::{Fields, ResponseHead};
use crate::patience::Patience;
use crate::tunnel::Side;

/// How the end of a request's body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body.
    Empty,
    /// It is so long.
    Length(u64),
    /// It ends where the protocol says that it does.
    Open,
}

/// What comes next of a body.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Bytes of it, at least one.
    Data(Bytes),
    /// Its end, and the fields that stand behind it (RFC 9110 section 6.5).
    End(Option<Box<Fields>>),
}

/// What went wrong with the client while a request was served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// What it sent is not a body.
    #[error("{0}")]
    Malformed(&'static str),
    /// It went away, or took the request back.
    #[error("{0}")]
    Gone(io::Error),
}

/// The client's side of one request, but for its head, which is read before there is anything to
/// decide. Dropped before the answer is whole, it breaks off in a way that no client takes for the
/// answer's end: HTTP/1.1 loses the connection without TLS's close_notify, HTTP/2 resets the stream.
pub(crate) trait Downstream: Send + Sized {
    /// How the request's body is delimited.
    fn framing(&self) -> Framing;

    /// The next piece of the request's body. When the end has been handed out, or where there is no
    /// body, this is ready only once the client has gone away.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, ClientError>>;

    /// Sends an informational answer (RFC 9110 section 15.2), where the client's protocol knows such.
    fn send_informational(&mut self, head: &ResponseHead);

    /// Begins the answer. `ended`: it has no body. The head is sent with what follows it, or with
    /// [`Self::poll_flush`].
    fn send_head(&mut self, head: &ResponseHead, ended: bool);

    /// Whether [`Self::send_head`] has been called.
    fn has_begun(&self) -> bool;

    /// Takes bytes of the answer's body, as many as there is room for, at least one; waits while
    /// there is room for none.
    fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, ClientError>>;

    /// Says that the answer is whole. Not after a head that was `ended`.
    fn end(&mut self, trailers: Option<&Fields>);

    /// Sees to it that what was sent is on its way to the client, as far as the client takes it.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientError>>;

    /// The connection will not be used for another request, where it is for one request at a time.
    fn close_after(&mut self);

    /// Gives the connection away to another protocol, where it carries one request at a time.
    fn into_tunnel(self) -> Option<Side>;

    /// The timer of whatever is waited for on the request's behalf.
    fn patience(&mut self) -> &mut Patience;

    /// Bytes of the request's body that have been handed out.
    fn received(&self) -> u64;

    /// Bytes of the answer's body that have been taken.
    fn sent(&self) -> u64;
}
