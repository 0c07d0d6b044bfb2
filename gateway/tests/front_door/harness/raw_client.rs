//! A client that sends bytes as they are, for requests that no real client would make.

use std::fmt;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::gateway::Gateway;
use super::tls_client::Tls;
use super::within;

/// A stream, and what was read from it beyond what was asked for.
pub(crate) struct Raw<S> {
    stream: S,
    pending: Vec<u8>,
}

/// [`Raw`] over TLS.
pub(crate) type TlsRaw = Raw<TlsStream<TcpStream>>;

/// A response's head.
pub(crate) struct Head {
    pub(crate) status: u16,
    text: String,
}

impl TlsRaw {
    /// HTTP/1.1 over TLS to the gateway.
    pub(crate) async fn tls(gateway: &Gateway, host: &str) -> Self {
        let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]);
        let stream = tls.connect(gateway.https(), host).await.stream;
        Self::over(stream)
    }

    /// Says that nothing more will be sent (TLS's close_notify), and goes on listening.
    pub(crate) async fn say_goodbye(&mut self) {
        self.stream.get_mut().1.send_close_notify();
        within("the server to take the goodbye", self.stream.flush()).await.unwrap();
    }
}

impl Raw<TcpStream> {
    /// In the clear.
    pub(crate) async fn plain(addr: SocketAddr) -> Self {
        Self::over(TcpStream::connect(addr).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// Over a stream that is there already.
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, pending: Vec::new() }
    }

    /// Sends bytes; `false` where the server has closed the connection.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let write = async {
            self.stream.write_all(bytes.as_ref()).await?;
            self.stream.flush().await
        };
        within("the server to take bytes", write).await.is_ok()
    }

    /// The next response's head; `None` where the connection ended without one.
    pub(crate) async fn head(&mut self) -> Option<Head> {
        let end = loop {
            if let Some(at) = self.pending.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.fill("a response's head").await {
                let rest = String::from_utf8_lossy(&self.pending);
                assert!(rest.is_empty(), "the connection ended inside a head: {rest:?}");
                return None;
            }
        };
        let text: Vec<u8> = self.pending.drain(..end).collect();
        Some(Head::parse(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Exactly so many bytes.
    pub(crate) async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.pending.len() < length {
            let more = self.fill("the rest of a body").await;
            assert!(more, "the connection ended after {} of {length} bytes", self.pending.len());
        }
        self.pending.drain(..length).collect()
    }

    /// A response's head and, where `Content-Length` says how long it is, its body.
    pub(crate) async fn reply(&mut self) -> Option<(Head, Vec<u8>)> {
        let head = self.head().await?;
        let length = head.field("content-length").map_or(0, |length| length.parse().unwrap());
        let body = self.exactly(length).await;
        Some((head, body))
    }

    /// Everything until the connection ends, however it ends.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill("the server to close the connection").await {}
        std::mem::take(&mut self.pending)
    }

    /// Waits for bytes and keeps them; `false` where the connection ended instead.
    pub(crate) async fn has_more(&mut self) -> bool {
        self.fill("bytes, or the end of the connection").await
    }

    async fn fill(&mut self, what: &str) -> bool {
        let mut buffer = [0; 16 * 1024];
        match within(what, self.stream.read(&mut buffer)).await {
            Ok(length) => {
                self.pending.extend_from_slice(&buffer[..length]);
                length > 0
            }
            Err(_) => false,
        }
    }
}

impl Head {
    fn parse(text: String) -> Self {
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        match status {
            Some(status) => Self { status, text },
            None => panic!("this is no response: {text:?}"),
        }
    }

    /// The one value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
