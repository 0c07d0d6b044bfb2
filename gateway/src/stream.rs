//! The byte stream of a connection, to a client or to an upstream.
//!
//! Writes are gathered until a flush, so that a head and the first bytes of its body leave as one
//! TLS record and one system call. A read flushes too: who reads is about to wait, and what was
//! written should not wait with it.
//!
//! Towards an upstream, writing never waits: what the socket does not take is kept, and reading moves
//! it on. The request loop can therefore send a request's body and read the answer from one task
//! without either side waiting for the other; it stops taking body from the client while
//! [`Meter::backlog`] is above [`HIGH_WATER`].

use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use pingora_core::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    TimingDigest, UniqueID,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

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
    TlsServer(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    /// TLS with an upstream.
    TlsClient(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// What others may see of a stream that a session owns. Written and read by one thread; atomic only
/// because pingora asks its streams to be `Sync`.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    read: AtomicU64,
    backlog: AtomicUsize,
}

impl Meter {
    /// Bytes read so far, after decryption.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Relaxed)
    }

    /// Bytes accepted for writing that the transport has not taken.
    pub(crate) fn backlog(&self) -> usize {
        self.backlog.load(Relaxed)
    }
}

/// A transport, with its writes gathered.
#[derive(Debug)]
pub(crate) struct GatheringStream {
    transport: Transport,
    waiting: BytesMut,
    write_behind: bool,
    flush_due: bool,
    write_failure: Option<io::ErrorKind>,
    meter: Arc<Meter>,
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
        Self {
            transport,
            waiting: BytesMut::new(),
            write_behind,
            flush_due: false,
            write_failure: None,
            meter: Arc::default(),
        }
    }

    /// Takes the stream back from a session, for a protocol that pingora does not know. From here on
    /// writing waits, towards an upstream too: nobody watches the backlog any more.
    pub(crate) fn reclaim(stream: pingora_core::protocols::Stream) -> Option<Box<Self>> {
        let mut stream = stream.into_any().downcast::<Self>().ok()?;
        stream.write_behind = false;
        Some(stream)
    }

    /// The counters, which outlive the stream's disappearance into a session.
    pub(crate) fn meter(&self) -> Arc<Meter> {
        self.meter.clone()
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
        self.waiting.clear();
        self.meter.backlog.store(0, Relaxed);
        error
    }

    fn poll_send_waiting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            let written = self.poll_transport_write(cx, &waiting);
            if self.write_failure.is_none() {
                self.waiting = waiting;
            }
            self.waiting.advance(ready!(written)?);
            self.meter.backlog.store(self.waiting.len(), Relaxed);
        }
        // A long body leaves a long buffer behind; an idle connection should not keep it.
        if self.waiting.capacity() > HIGH_WATER {
            self.waiting = BytesMut::new();
        }
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

    fn keep(&mut self, data: &[u8]) {
        self.waiting.extend_from_slice(data);
        self.meter.backlog.store(self.waiting.len(), Relaxed);
    }

    /// Sends everything, says that nothing more follows, and waits until the peer has stopped sending.
    /// Closing a socket with unread bytes resets it, and a reset can destroy the answer that is still
    /// on its way (RFC 9112 section 9.6).
    pub(crate) async fn close(mut self: Box<Self>) {
        let closed = tokio::time::timeout(LINGER_TOTAL, AsyncWriteExt::shutdown(&mut *self)).await;
        if !matches!(closed, Ok(Ok(()))) {
            return;
        }
        let silence_ends = async {
            let mut scratch = [0; 4096];
            while let Ok(Ok(1..)) =
                tokio::time::timeout(LINGER_SILENCE, self.read(&mut scratch)).await
            {}
        };
        // Running out of patience is one of the two ways in which this ends well.
        drop(tokio::time::timeout(LINGER_TOTAL, silence_ends).await);
    }
}

/// Whether nothing has arrived on a stream that waits in a pool: neither bytes, which nobody asked
/// for, nor its end.
pub(crate) fn is_quiet(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> bool {
    let mut byte = [0; 1];
    let mut context = Context::from_waker(std::task::Waker::noop());
    Pin::new(stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
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
        let before = buf.filled().len();
        ready!(match &mut this.transport {
            Transport::Tcp(s) => Pin::new(s).poll_read(cx, buf),
            Transport::Unix(s) => Pin::new(s).poll_read(cx, buf),
            Transport::TlsServer(s) => Pin::new(s).poll_read(cx, buf),
            Transport::TlsClient(s) => Pin::new(s).poll_read(cx, buf),
        })?;
        let read = (buf.filled().len() - before) as u64;
        this.meter.read.store(this.meter.read() + read, Relaxed);
        Poll::Ready(Ok(()))
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
        if this.waiting.is_empty() && data.len() >= WRITE_THROUGH {
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
        this.keep(&data[taken..]);
        this.flush_due = true;
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

#[async_trait::async_trait]
impl Shutdown for GatheringStream {
    async fn shutdown(&mut self) {
        // The peer may be gone already, which is what a shutdown wants.
        drop(AsyncWriteExt::shutdown(self).await);
    }
}

impl UniqueID for GatheringStream {
    fn id(&self) -> i32 {
        match &self.transport {
            Transport::Tcp(s) => s.as_raw_fd(),
            Transport::Unix(s) => s.as_raw_fd(),
            Transport::TlsServer(s) => s.get_ref().0.as_raw_fd(),
            Transport::TlsClient(s) => s.get_ref().0.as_raw_fd(),
        }
    }
}

// pingora's digests would be filled anew for each session; what the gateway needs of a connection it
// keeps itself, once (see `connection::Connection`).
impl Ssl for GatheringStream {}
impl Peek for GatheringStream {}

impl GetTimingDigest for GatheringStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for GatheringStream {
    fn get_proxy_digest(&self) -> Option<Arc<pingora_core::protocols::raw_connect::ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for GatheringStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        None
    }
}
