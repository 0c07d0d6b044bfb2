//! Sends a request of the script to one of the two.

use std::net::SocketAddr;

use hyper::Request as HyperRequest;
use hyper::header::{HeaderMap, HeaderName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::observe::Seen;
use super::script::{Body, Request};
use crate::harness::http_client::Http;
use crate::harness::replies::{empty, full};
use crate::harness::tls_client::Tls;
use crate::harness::within;

/// More requests than any limit of the configurations allows at once.
const MANY: usize = 2000;

/// How often a page is asked for behind assets that are refused: fewer times than its own limit allows.
const ROUNDS: usize = 20;

/// A key for the opening handshake of a WebSocket, and a masked frame with the text "hi".
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const FRAME: [u8; 8] = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
const ECHO: [u8; 4] = [0x81, 0x02, b'h', b'i'];

/// One of the two.
pub(super) struct Front {
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
}

impl Front {
    /// What a client at `source` sees of the answer.
    pub(super) async fn ask(&self, request: &Request, source: &str) -> Seen {
        let source = request.source.as_deref().unwrap_or(source);
        if let Some(target) = &request.behind {
            let target = target.clone();
            let spent = Request { target, until_refused: true, behind: None, ..request.clone() };
            return self.ask_behind(&spent, request, source).await;
        }
        if request.until_refused {
            return self.ask_until_refused(request, source).await;
        }
        self.ask_once(request, source).await
    }

    /// Asks for something when something else has been refused. A moment later there may be room for
    /// one again, so this is done several times, and one refusal is enough.
    async fn ask_behind(&self, spent: &Request, request: &Request, source: &str) -> Seen {
        let mut last = self.ask_once(request, source).await;
        for _ in 0..ROUNDS {
            self.ask_until_refused(spent, source).await;
            let seen = self.ask_once(request, source).await;
            if seen.of("answer") != last.of("answer") {
                return seen;
            }
            last = seen;
        }
        last
    }

    async fn ask_until_refused(&self, request: &Request, source: &str) -> Seen {
        for _ in 0..MANY {
            let seen = self.ask_once(request, source).await;
            if ["429", "503"].iter().any(|status| seen.of("answer").starts_with(status)) {
                return seen;
            }
        }
        panic!("never refused: {}", request.text);
    }

    async fn ask_once(&self, request: &Request, source: &str) -> Seen {
        let mut tls = Tls::trusting("").without_check().from(source);
        tls = tls.alpn(&[if request.http2 { "h2" } else { "http/1.1" }]);
        if !request.secure {
            let stream = tls.tcp(self.http).await.unwrap();
            return converse(stream, request).await;
        }
        if request.sni.is_none() {
            tls = tls.without_name();
        }
        let name = request.sni.as_deref().unwrap_or(&request.host);
        if request.http2 {
            let Ok(_) = tls.try_connect(self.https, name).await else { return not_shaken() };
            let mut http = Http::connect(&tls, self.https, name).await;
            return over_http2(&mut http, request).await;
        }
        match tls.try_connect(self.https, name).await {
            Ok(secure) => converse(secure.stream, request).await,
            Err(_) => not_shaken(),
        }
    }
}

fn not_shaken() -> Seen {
    let mut seen = Seen::default();
    seen.note("answer", "the handshake is refused");
    seen
}

fn closed() -> Seen {
    let mut seen = Seen::default();
    seen.note("answer", "closed without one");
    seen
}

async fn over_http2(http: &mut Http, request: &Request) -> Seen {
    let mut asked = HyperRequest::builder()
        .method(request.method.as_str())
        .uri(format!("https://{}{}", request.host, request.target));
    for (name, value) in &request.headers {
        asked = asked.header(name, value);
    }
    let body = request.body.map_or_else(empty, |body| full(vec![b'x'; body.length]));
    match http.try_request(asked.body(body).unwrap()).await {
        Ok(reply) => Seen::answer(reply.status.as_u16(), &reply.headers, &reply.body),
        Err(_) => closed(),
    }
}

/// One request and its answer in HTTP/1.1, with a target that no library would send.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, request: &Request) -> Seen {
    let head = head(request);
    within("a head to be taken", stream.write_all(head.as_bytes())).await.unwrap();
    within("a head to be sent", stream.flush()).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let body = request.body;
    let mut received = Vec::new();
    let both = async {
        // Who answers before it has read everything may read no more.
        let send = async {
            if let Some(body) = body {
                drop(send_body(&mut writer, body).await);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = send => {}
            () = receive(&mut reader, &mut received, request.websocket) => {}
        }
    };
    within(&request.text, both).await;
    if request.websocket && received.starts_with(b"HTTP/1.1 101") {
        return echoed(&mut reader, &mut writer, received).await;
    }
    parse(&received)
}

fn head(request: &Request) -> String {
    let mut head =
        format!("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, request.host);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match request.body {
        Some(Body { chunked: true, .. }) => head.push_str("Transfer-Encoding: chunked\r\n"),
        Some(Body { length, .. }) => head.push_str(&format!("Content-Length: {length}\r\n")),
        None => {}
    }
    if request.websocket {
        head.push_str(&format!(
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
        ));
    } else {
        head.push_str("Connection: close\r\n");
    }
    head + "\r\n"
}

async fn send_body(to: &mut (impl AsyncWrite + Unpin), body: Body) -> std::io::Result<()> {
    const PIECE: usize = 64 * 1024;
    let mut left = body.length;
    while left > 0 {
        let piece = vec![b'x'; left.min(PIECE)];
        if body.chunked {
            to.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
        }
        to.write_all(&piece).await?;
        if body.chunked {
            to.write_all(b"\r\n").await?;
        }
        left -= piece.len();
    }
    if body.chunked {
        to.write_all(b"0\r\n\r\n").await?;
    }
    to.flush().await
}

/// Reads to the end; of a WebSocket, or of an answer to what has not been sent whole, its head.
async fn receive(from: &mut (impl AsyncRead + Unpin), received: &mut Vec<u8>, websocket: bool) {
    loop {
        if let Ok(0) | Err(_) = from.read_buf(received).await {
            return;
        }
        let whole = received.windows(4).any(|bytes| bytes == b"\r\n\r\n");
        let early = received.starts_with(b"HTTP/1.1 413") || websocket;
        if whole && early {
            return;
        }
    }
}

async fn echoed(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    received: Vec<u8>,
) -> Seen {
    let mut seen = Seen::default();
    seen.note("answer", "101");
    let mut message =
        received.split(|byte| *byte == b'\n').next_back().unwrap_or_default().to_vec();
    let exchange = async {
        to.write_all(&FRAME).await?;
        to.flush().await?;
        while message.len() < ECHO.len() {
            if from.read_buf(&mut message).await? == 0 {
                break;
            }
        }
        std::io::Result::Ok(())
    };
    let went = within("a WebSocket message to come back", exchange).await;
    let is_echo = went.is_ok() && message == ECHO;
    seen.note("the WebSocket", if is_echo { "echoes" } else { "is broken" });
    seen
}

fn parse(received: &[u8]) -> Seen {
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return closed();
    };
    let text = String::from_utf8_lossy(&received[..end]);
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, value.trim().parse().unwrap());
    }
    let chunked = headers.get("transfer-encoding").is_some();
    let body = &received[end + 4..];
    let body = if chunked { joined(body) } else { body.to_vec() };
    Seen::answer(status.expect("a status"), &headers, &body)
}

/// The chunks of a body without their lengths.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|bytes| bytes == b"\r\n") {
        let length = usize::from_str_radix(&String::from_utf8_lossy(&rest[..end]), 16);
        let Ok(length @ 1..) = length else { break };
        let start = end + 2;
        body.extend_from_slice(&rest[start..start + length]);
        rest = &rest[start + length + 2..];
    }
    body
}
