//! An HTTP/2 client that writes and reads frames (RFC 9113, section 4), for what a real client hides
//! or would never do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::gateway::Gateway;
use super::hpack;
use super::tls_client::Tls;
use super::within;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;
const ACK: u8 = 0x1;

/// One connection.
pub(crate) struct Http2Frames {
    stream: TlsStream<TcpStream>,
}

/// One frame.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// What became of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered with this status.
    Status(u16),
    /// It was reset with this error code.
    Reset(u32),
    /// The whole connection was ended with this error code.
    GoAway(u32),
    /// The connection ended without a word.
    Closed,
}

impl Outcome {
    /// Whether the server refused the request: an answer of 400 to 499, or an error.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(self, Self::Status(status) if !(400..500).contains(status))
    }
}

impl Http2Frames {
    /// Connects, trusting the local CA, and sends the preface. The settings tell the server that its
    /// header table must stay empty.
    pub(crate) async fn connect(gateway: &Gateway, host: &str) -> Self {
        let tls = Tls::trusting(&gateway.local_ca()).alpn(&["h2"]);
        let stream = tls.connect(gateway.https(), host).await.stream;
        let mut frames = Self { stream };
        assert!(frames.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await);
        let no_table = [0, 1, 0, 0, 0, 0];
        assert!(frames.send(SETTINGS, 0, 0, &no_table).await);
        frames
    }

    /// Sends a frame; `false` where the server has closed the connection.
    pub(crate) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let frame = encode(kind, flags, stream, payload);
        self.write(&frame).await
    }

    /// Sends bytes as they are; `false` where the server has closed the connection.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> bool {
        let write = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        within("the server to take a frame", write).await.is_ok()
    }

    /// Sends a request's fields in one frame.
    pub(crate) async fn request(
        &mut self,
        stream: u32,
        fields: &[(&str, &str)],
        flags: u8,
    ) -> bool {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let block = hpack::encode(&fields);
        self.send(HEADERS, END_HEADERS | flags, stream, &block).await
    }

    /// The next frame; `None` where the connection ended. Settings and pings are acknowledged here,
    /// and shown too.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let frame = within("the next HTTP/2 frame", self.read()).await?;
        if frame.flags & ACK == 0 && matches!(frame.kind, SETTINGS | PING) {
            let payload = if frame.kind == PING { frame.payload.clone() } else { Vec::new() };
            self.send(frame.kind, ACK, 0, &payload).await;
        }
        Some(frame)
    }

    /// Reads until it is known what became of a stream.
    pub(crate) async fn outcome(&mut self, stream: u32) -> Outcome {
        while let Some(frame) = self.next().await {
            match frame.kind {
                HEADERS if frame.stream == stream => {
                    return Outcome::Status(hpack::status(&frame.payload));
                }
                RST_STREAM if frame.stream == stream => {
                    return Outcome::Reset(word(&frame.payload));
                }
                GOAWAY if word(&frame.payload[4..]) != 0 => {
                    return Outcome::GoAway(word(&frame.payload[4..]));
                }
                _ => {}
            }
        }
        Outcome::Closed
    }

    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = word(&[0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).await.ok()?;
        let stream = word(&head[5..]) & 0x7fff_ffff;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }
}

/// A frame as bytes.
pub(crate) fn encode(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

/// The pseudo-fields of a GET.
pub(crate) fn get<'a>(authority: &'a str, path: &'a str) -> [(&'a str, &'a str); 4] {
    [(":method", "GET"), (":scheme", "https"), (":authority", authority), (":path", path)]
}
