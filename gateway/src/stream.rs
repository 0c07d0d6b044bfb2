//! The byte stream of a connection, to a client or to an upstream.
//!
//! Writes are gathered until a flush, so that a head and the first bytes of its body leave as one
//! TLS record and one system call. A read flushes too: who reads is about to wait, and what was
//! written should not wait with it.
//!
//! Towards an upstream, writing never waits: what the socket does not take is kept, and reading moves
//! it on. The request loop can therefore send a request's body and read the answer from one task
//! without either side waiting for the other; it stops taking body from the client while
//! [`GatheringStream::backlog`] is above [`HIGH_WATER`].

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::tls::TlsStream;

/// Bytes that may wait to be written before whoever produces them has to wait too.
pub(crate) const HIGH_WATER: usize = 64 * 1024;

/// A write at least this long goes straight to the transport when nothing waits before it: copying
/// it would cost more than the system call that gathering saves.
const WRITE_THROUGH: usize = 8 * 1024;

/// How long, in all and in silence, the peer may take to read a last answer
/// (see [`GatheringStream::close`]).
const LINGER_TOTAL: Duration = Duration::from_secs(10);
const LINGER_SILENCE: Duration = Duration::from_secs(2);

/// What carries the bytes.
#[derive(Debug)]
pub(crate) enum Transport {
    /// Plain TCP, either side.
    Tcp(TcpStream),
    /// A unix socket of an upstream.
    Unix(UnixStream),
    /// TLS with a client.
    TlsServer(Box<TlsStream>),
    /// TLS with an upstream.
    TlsClient(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Bytes that wait to be written.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// How many of them, at the front, have been written.
    sent: usize,
}

impl Waiting {
    fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Where to add more. What has been written goes first where it has become much, so that a peer
    /// which never catches up quite does not make the buffer grow.
    fn room(&mut self) -> &mut Vec<u8> {
        if self.sent >= HIGH_WATER {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        &mut self.bytes
    }
}

/// A transport, with its writes gathered.
#[derive(Debug)]
pub(crate) struct GatheringStream {
    transport: Transport,
    waiting: Waiting,
    write_behind: bool,
    flush_due: bool,
    write_failure: Option<io::ErrorKind>,
}

impl GatheringStream {
    /// The stream of a client: writing waits while [`HIGH_WATER`] bytes wait.
    pub(crate) fn to_client(transport: Transport) -> Self {
        Self::new(transport, false)
    }

    /// The stream of an upstream: writing never waits.
    pub(crate) fn to_upstream(transport: Transport) -> Self {
        Self::new(transport, true)
    }

    fn new(transport: Transport, write_behind: bool) -> Self {
        let waiting = Waiting::default();
        Self { transport, waiting, write_behind, flush_due: false, write_failure: None }
    }

    /// From here on writing waits, towards an upstream too: nobody watches the backlog any more.
    pub(crate) fn wait_to_write(&mut self) {
        self.write_behind = false;
    }

    /// Bytes accepted for writing that the transport has not taken.
    pub(crate) fn backlog(&self) -> usize {
        self.waiting.len()
    }

    /// Where to write what is to be sent with the next flush.
    pub(crate) fn gather(&mut self) -> &mut Vec<u8> {
        self.flush_due = true;
        self.waiting.room()
    }

    /// Whether a write has failed, so that nothing more can be sent.
    pub(crate) fn has_failed(&self) -> bool {
        self.write_failure.is_some()
    }

    /// Reads into `buffer`, as much as there is room for. 0: nothing more will come.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        pin!(self.read_buf(buffer)).poll(cx)
    }

    /// Ready when reading might yield something. Waiting so takes no buffer.
    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flush_due {
            // Pending and failure are both seen by the next write; reading goes on regardless.
            let _seen_by_next_write = self.poll_send_all(cx);
        }
        match &mut self.transport {
            Transport::Tcp(s) => s.poll_read_ready(cx),
            Transport::Unix(s) => s.poll_read_ready(cx),
            Transport::TlsServer(s) => s.poll_readable(cx),
            Transport::TlsClient(s) => match s.get_ref() {
                (_, tls) if !tls.wants_read() => Poll::Ready(Ok(())),
                (tcp, _) => tcp.poll_read_ready(cx),
            },
        }
    }

    /// Whether the end of what can be read was a word of the peer's: TLS has one (close_notify), and
    /// whoever says it may still be listening. TCP alone ends the same way when the peer is gone.
    pub(crate) fn says_goodbye(&self) -> bool {
        matches!(self.transport, Transport::TlsServer(_) | Transport::TlsClient(_))
    }

    /// Ready when the connection under the stream has ended too.
    pub(crate) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(tcp) = self.tcp() else { return Poll::Ready(Ok(())) };
        let mut byte = [0; 1];
        loop {
            let mut buffer = ReadBuf::new(&mut byte);
            ready!(Pin::new(&mut *tcp).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn tcp(&mut self) -> Option<&mut TcpStream> {
        match &mut self.transport {
            Transport::Tcp(tcp) => Some(tcp),
            Transport::Unix(_) => None,
            Transport::TlsServer(tls) => Some(tls.inner_mut()),
            Transport::TlsClient(tls) => Some(tls.get_mut().0),
        }
    }

    /// Whether nothing has arrived: neither bytes, which nobody asked for, nor the stream's end. For a
    /// stream that waits in a pool.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let mut byte = [0; 1];
        let mut context = Context::from_waker(std::task::Waker::noop());
        Pin::new(self).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    fn poll_transport_write(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.transport {
            Transport::Tcp(s) => Pin::new(s).poll_write(cx, data),
            Transport::Unix(s) => Pin::new(s).poll_write(cx, data),
            Transport::TlsServer(s) => Pin::new(s).poll_write(cx, data),
            Transport::TlsClient(s) => Pin::new(s).poll_write(cx, data),
        };
        match ready!(written) {
            Ok(0) => Poll::Ready(Err(self.fail(io::ErrorKind::WriteZero.into()))),
            Ok(n) => Poll::Ready(Ok(n)),
            Err(error) => Poll::Ready(Err(self.fail(error))),
        }
    }

    /// After a failed write the peer may still have an answer for us to read, so the failure is
    /// remembered for the next write instead of ending the stream.
    fn fail(&mut self, error: io::Error) -> io::Error {
        self.write_failure = Some(error.kind());
        self.flush_due = false;
        self.waiting = Waiting::default();
        error
    }

    fn poll_send_waiting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.waiting.len() > 0 {
            let waiting = std::mem::take(&mut self.waiting);
            let written = self.poll_transport_write(cx, waiting.unsent());
            if self.write_failure.is_none() {
                self.waiting = waiting;
            }
            self.waiting.sent += ready!(written)?;
        }
        // An idle connection keeps no buffer.
        self.waiting = Waiting::default();
        Poll::Ready(Ok(()))
    }

    fn poll_send_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flush_due = true;
        ready!(self.poll_send_waiting(cx))?;
        ready!(match &mut self.transport {
            Transport::Tcp(s) => Pin::new(s).poll_flush(cx),
            Transport::Unix(s) => Pin::new(s).poll_flush(cx),
            Transport::TlsServer(s) => Pin::new(s).poll_flush(cx),
            Transport::TlsClient(s) => Pin::new(s).poll_flush(cx),
        })
        .map_err(|error| self.fail(error))?;
        self.flush_due = false;
        Poll::Ready(Ok(()))
    }

    /// Sends everything, says that nothing more follows, and waits until the peer has stopped sending.
    /// Closing a socket with unread bytes resets it, and a reset can destroy the answer that is still
    /// on its way (RFC 9112 section 9.6). More than `most` bytes are not waited out.
    pub(crate) async fn close(mut self: Box<Self>, most: u64) {
        let closed = tokio::time::timeout(LINGER_TOTAL, AsyncWriteExt::shutdown(&mut *self)).await;
        if !matches!(closed, Ok(Ok(()))) {
            return;
        }
        let silence_ends = async {
            let (mut scratch, mut left) = ([0; 4096], most);
            while let Ok(Ok(read @ 1..)) =
                tokio::time::timeout(LINGER_SILENCE, self.read(&mut scratch)).await
                && left > 0
            {
                left = left.saturating_sub(read as u64);
            }
        };
        // Running out of patience is one of the two ways in which this ends well.
        drop(tokio::time::timeout(LINGER_TOTAL, silence_ends).await);
    }
}

impl AsyncRead for GatheringStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.flush_due {
            // Pending and failure are both seen by the next write; reading goes on regardless.
            let _seen_by_next_write = this.poll_send_all(cx);
        }
        match &mut this.transport {
            Transport::Tcp(s) => Pin::new(s).poll_read(cx, buf),
            Transport::Unix(s) => Pin::new(s).poll_read(cx, buf),
            Transport::TlsServer(s) => Pin::new(s).poll_read(cx, buf),
            Transport::TlsClient(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for GatheringStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Some(kind) = this.write_failure {
            return Poll::Ready(Err(kind.into()));
        }
        if this.waiting.len() >= HIGH_WATER && !this.write_behind {
            ready!(this.poll_send_waiting(cx))?;
        }
        let mut taken = 0;
        if this.waiting.len() == 0 && data.len() >= WRITE_THROUGH {
            match this.poll_transport_write(cx, data) {
                Poll::Ready(Ok(n)) => taken = n,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if this.write_behind => {}
                Poll::Pending => return Poll::Pending,
            }
            if !this.write_behind {
                return Poll::Ready(Ok(taken));
            }
        }
        this.gather().extend_from_slice(&data[taken..]);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(kind) = this.write_failure {
            return Poll::Ready(Err(kind.into()));
        }
        match this.poll_send_all(cx) {
            // What is left moves on with the next read.
            Poll::Pending if this.write_behind => Poll::Ready(Ok(())),
            sent => sent,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.write_failure.is_none() {
            ready!(this.poll_send_waiting(cx))?;
        }
        match &mut this.transport {
            Transport::Tcp(s) => Pin::new(s).poll_shutdown(cx),
            Transport::Unix(s) => Pin::new(s).poll_shutdown(cx),
            Transport::TlsServer(s) => Pin::new(s).poll_shutdown(cx),
            Transport::TlsClient(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}
