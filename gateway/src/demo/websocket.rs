//! The server's side of a WebSocket (RFC 6455): handshake, upgrade, and the session in a task.

use std::future::Future;

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use futures_util::{SinkExt, StreamExt};

use super::reply::{Outcome, Refusal};
use super::server::Tasks;

/// The longest message a client may send, in bytes, and the longest frame.
pub(super) const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// Read and write buffers of a connection, in bytes: messages are small and clients may be many.
const BUFFER: usize = 8 * 1024;

/// An open WebSocket.
pub(super) struct Socket(WebSocketStream<TokioIo<Upgraded>>);

/// The WebSocket is closed: the session is over.
#[derive(Debug)]
pub(super) struct Closed;

/// Answers a WebSocket handshake with 101 and runs `session` once the connection is upgraded.
///
/// # Errors
/// [`Refusal::NotAWebSocket`] for a request that is no handshake of version 13.
pub(super) fn accept<S, F>(mut request: Request<Incoming>, tasks: &Tasks, session: S) -> Outcome
where
    S: FnOnce(Socket) -> F + Send + 'static,
    F: Future<Output = Result<(), Closed>> + Send,
{
    let key = handshake_key(&request)?;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| Refusal::NotAWebSocket)?;
    let upgrade = hyper::upgrade::on(&mut request);
    tasks.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE))
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER);
        let io = TokioIo::new(upgraded);
        let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        // A session ends when its client goes; there is nobody to tell.
        let _ = session(Socket(stream)).await;
    });

    let mut reply = Response::new(Empty::new().boxed_unsync());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(reply)
}

fn handshake_key(request: &Request<Incoming>) -> Result<HeaderValue, Refusal> {
    let headers = request.headers();
    let is_handshake = request.method() == Method::GET
        && has_token(headers, &CONNECTION, "upgrade")
        && has_token(headers, &UPGRADE, "websocket")
        && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|v| v == "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_handshake);
    key.cloned().ok_or(Refusal::NotAWebSocket)
}

/// Whether the comma-separated values of `name` contain `token`.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

impl Socket {
    /// The next text or binary message; pings are answered on the way. May be dropped while it
    /// waits without losing a message.
    pub(super) async fn receive(&mut self) -> Result<Message, Closed> {
        loop {
            match self.0.next().await {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => return Ok(message),
                Some(Ok(_)) => {}
                Some(Err(Error::Capacity(_))) => return Err(self.close_too_big().await),
                Some(Err(_)) | None => return Err(Closed),
            }
        }
    }

    /// Sends one message at once.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), Closed> {
        self.0.send(message).await.map_err(|_| Closed)
    }

    async fn close_too_big(&mut self) -> Closed {
        let frame = CloseFrame {
            code: CloseCode::Size,
            reason: "The message is longer than 4 MiB.".into(),
        };
        // It is closed either way; the frame only says why.
        let _ = self.0.close(Some(frame)).await;
        Closed
    }
}
