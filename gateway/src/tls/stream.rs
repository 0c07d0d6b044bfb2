//! The byte stream of a client that speaks TLS.
//!
//! tokio-rustls would do the same with buffers that rustls keeps for each connection. Here a silent
//! connection holds neither one to read into nor one to write from.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ServerConfig;
use rustls::server::UnbufferedServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::buffer::Buffer;
use super::session::Session;

/// TLS over a stream. What TLS itself has to say, a session ticket for one, leaves with the next
/// write.
pub(crate) struct TlsStream<S = TcpStream> {
    inner: S,
    session: Session,
    /// Encrypted, and not taken by the stream below.
    unsent: Buffer,
    is_closing: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// The handshake with a client of which `received` has been read already.
    ///
    /// # Errors
    /// What went wrong. The client has been told, if the stream below took it at once.
    pub(super) async fn accept(
        inner: S,
        config: Arc<ServerConfig>,
        mut received: Vec<u8>,
    ) -> io::Result<Box<Self>> {
        let session = Session::new(config).map_err(io::Error::other)?;
        let unsent = Buffer::default();
        // In a box from here on: a connection's task is as large as the largest thing it ever holds.
        let mut stream = Box::new(Self { inner, session, unsent, is_closing: false });
        let nobody = &mut ReadBuf::new(&mut []);
        stream.session.receive(&mut received, nobody, &mut stream.unsent);
        drop(received);
        std::future::poll_fn(|cx| stream.poll_handshake(cx)).await?;
        Ok(stream)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Err(error) = self.session.check() {
                // The alert must not hide what it is about.
                drop(self.poll_send(cx));
                return Poll::Ready(Err(error));
            }
            let is_over = !self.session.connection().is_handshaking();
            if is_over && self.session.is_readable() {
                // The client asks already; what is unsent leaves with the answer.
                self.unsent.settle();
                return Poll::Ready(Ok(()));
            }
            // The client may have something to say before it hears all of this.
            let sent = self.poll_send(cx)?;
            if is_over {
                return sent.map(Ok);
            }
            ready!(self.poll_receive(cx, &mut ReadBuf::new(&mut [])))?;
        }
    }

    /// Reads ciphertext, once.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut input = Buffer::default();
        let mut space = ReadBuf::new(self.session.space(&mut input, buf.remaining()));
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut space))?;
        let read = space.filled().len();
        if read == 0 {
            let why = "the client closed the connection without TLS's close_notify";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, why)));
        }
        input.added(read);
        self.session.receive(input.bytes_mut(), buf, &mut self.unsent);
        Poll::Ready(Ok(()))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            match Pin::new(&mut self.inner).poll_write(cx, self.unsent.bytes())? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(written) => self.unsent.consume(written),
                Poll::Pending => {
                    self.unsent.settle();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S> TlsStream<S> {
    pub(super) fn connection(&self) -> &UnbufferedServerConnection {
        self.session.connection()
    }

    /// How many bytes are kept for the connection.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.session.held() + self.unsent.held()
    }

    /// The stream below, for reading what comes behind the end of TLS.
    pub(crate) fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl TlsStream {
    /// Ready when reading might yield something.
    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.session.is_readable() {
            return Poll::Ready(Ok(()));
        }
        let readable = self.inner.poll_read_ready(cx);
        if readable.is_pending() {
            // Who waits may wait for this. Failure is seen by the next write.
            drop(self.poll_send(cx));
        }
        readable
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        while !self.session.take(buf)? {
            ready!(self.poll_receive(cx, buf))?;
            if self.session.check().is_err() {
                // The alert must not hide what it is about.
                drop(self.poll_send(cx));
            }
            if buf.filled().len() > before {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if data.len() > self.unsent.room() {
            ready!(self.poll_send(cx))?;
        }
        let this = &mut *self;
        let taken = data.len().min(this.unsent.room());
        let encrypted = this.session.encrypt(&data[..taken], &mut this.unsent);
        // What is not taken now is sent with the next write, or when flushed.
        match (encrypted, this.poll_send(cx)) {
            (Err(error), _) | (Ok(()), Poll::Ready(Err(error))) => Poll::Ready(Err(error)),
            (Ok(()), _) => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_closing {
            this.is_closing = true;
            this.session.close(&mut this.unsent);
        }
        ready!(this.poll_send(cx))?;
        match ready!(Pin::new(&mut this.inner).poll_shutdown(cx)) {
            // The client has gone before.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            closed => Poll::Ready(closed),
        }
    }
}

impl<S> fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").finish_non_exhaustive()
    }
}
