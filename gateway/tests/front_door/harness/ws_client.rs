//! The WebSocket client.

use futures_util::{SinkExt, StreamExt};
use hyper::StatusCode;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::gateway::Gateway;
use super::tls_client::Tls;
use super::within;

/// One WebSocket through the gateway.
pub(crate) struct WebSocket {
    stream: WebSocketStream<TlsStream<TcpStream>>,
}

impl WebSocket {
    /// Opens it over TLS, trusting the local CA.
    ///
    /// # Errors
    /// The status, where the answer is not 101.
    pub(crate) async fn open(
        gateway: &Gateway,
        host: &str,
        path: &str,
    ) -> Result<Self, StatusCode> {
        Self::open_with(gateway, host, path, &[]).await
    }

    /// [`WebSocket::open`] with further headers in its request.
    ///
    /// # Errors
    /// The status, where the answer is not 101.
    pub(crate) async fn open_with(
        gateway: &Gateway,
        host: &str,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, StatusCode> {
        let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]);
        let stream = tls.connect(gateway.https(), host).await.stream;
        let mut request = format!("wss://{host}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let open = tokio_tungstenite::client_async(request, stream);
        match within("the WebSocket's opening handshake", open).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(response)) => Err(response.status()),
            Err(error) => panic!("the WebSocket {host}{path} could not be opened: {error}"),
        }
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, message: Message) {
        within("sending a WebSocket message", self.stream.send(message)).await.unwrap();
    }

    /// The next message; `None` where the connection ended.
    pub(crate) async fn next(&mut self) -> Option<Result<Message, Error>> {
        within("the next WebSocket message", self.stream.next()).await
    }

    /// The next message.
    ///
    /// # Panics
    /// Where the connection ended or broke instead.
    pub(crate) async fn receive(&mut self) -> Message {
        match self.next().await {
            Some(Ok(message)) => message,
            other => panic!("expected a WebSocket message, got {other:?}"),
        }
    }
}
