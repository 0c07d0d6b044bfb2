//! Talks to the running applications over real sockets.

mod backend;
mod frontend;
mod grafana;
mod webhook;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Far longer than anything here takes, so that what hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON answer")
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text")
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |v| v.to_str().expect("an ASCII header"))
    }
}

async fn patiently<T>(future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(PATIENCE, future).await;
    result.expect("an answer in time")
}

/// Sends a request on a connection of its own; the body of the answer is still to be read.
async fn open<B>(origin: SocketAddr, request: Request<B>) -> Response<Incoming>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let stream = TcpStream::connect(origin).await.expect("a connection");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("an HTTP connection");
    tokio::spawn(connection);
    patiently(sender.send_request(request)).await.expect("an answer")
}

fn request(method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "demo.test")
        .body(Full::new(body.into()))
        .expect("a request")
}

async fn exchange(origin: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = open(origin, request).await.into_parts();
    let body = patiently(body.collect()).await.expect("a whole body");
    Answer { status: head.status, headers: head.headers, body: body.to_bytes() }
}

async fn send(origin: SocketAddr, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
    exchange(origin, request(method, path, body)).await
}

async fn get(origin: SocketAddr, path: &str) -> Answer {
    send(origin, "GET", path, "").await
}

struct TestSocket(WebSocketStream<TcpStream>);

impl TestSocket {
    async fn connect(origin: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(origin).await.expect("a connection");
        let url = format!("ws://{origin}{path}");
        let (socket, _) =
            patiently(tokio_tungstenite::client_async(url, stream)).await.expect("a WebSocket");
        Self(socket)
    }

    async fn send(&mut self, message: Message) {
        self.0.send(message).await.expect("a message sent");
    }

    async fn receive(&mut self) -> Message {
        let message = patiently(self.0.next()).await;
        message.expect("an open WebSocket").expect("a message")
    }

    async fn receive_json(&mut self) -> Value {
        let message = self.receive().await;
        serde_json::from_str(message.to_text().expect("a text")).expect("a JSON message")
    }
}

#[tokio::test]
async fn dropping_the_origins_closes_their_connections() {
    let origins = super::start().await.expect("started");
    let backend = origins.backend;
    let mut socket = TestSocket::connect(backend, "/api/v1/ws/echo").await;
    let mut events = open(backend, request("GET", "/api/v1/events", "")).await;
    patiently(events.frame()).await.expect("a frame").expect("an event");

    drop(origins);

    let after = patiently(socket.0.next()).await;
    assert!(!matches!(after, Some(Ok(_))), "{after:?}");
    while let Some(Ok(_)) = patiently(events.frame()).await {}
}

#[tokio::test]
async fn tasks_end_with_their_owner_even_those_spawned_later() {
    let (running, tasks) = super::server::tasks();
    let (held, mut ended) = tokio::sync::mpsc::channel::<()>(1);
    let forever = |held| async move {
        std::future::pending::<()>().await;
        drop(held);
    };
    tasks.spawn(forever(held.clone()));
    drop(running);
    tasks.spawn(forever(held));
    // The channel ends once both tasks have let go of it.
    assert_eq!(patiently(ended.recv()).await, None);
}

#[tokio::test]
async fn what_is_not_http_harms_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let origins = super::start().await.expect("started");
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET \xff\xfe HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(origins.backend).await.expect("connected");
        stream.write_all(garbage).await.expect("written");
        // Fails where the connection was reset already.
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        // A reset is as good an end as a close.
        let _ = patiently(stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(get(origins.backend, "/health").await.status, StatusCode::OK);
}
