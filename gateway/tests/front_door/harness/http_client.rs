//! An HTTP/1.1 and HTTP/2 client on one connection of its own.

use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::HOST;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::gateway::Gateway;
use super::replies::{Body, Reply, empty};
use super::tls_client::{Facts, Secure, Tls};
use super::within;

/// One connection. Dropping it closes it, whatever is under way.
pub(crate) struct Http {
    sender: Sender,
    host: String,
    facts: Option<Facts>,
    connection: JoinHandle<Result<(), hyper::Error>>,
}

enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Http {
    /// HTTP/1.1 over TLS to the gateway, trusting its local CA.
    pub(crate) async fn http1(gateway: &Gateway, host: &str) -> Self {
        let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]);
        Self::connect(&tls, gateway.https(), host).await
    }

    /// HTTP/2 over TLS to the gateway, trusting its local CA.
    pub(crate) async fn http2(gateway: &Gateway, host: &str) -> Self {
        let tls = Tls::trusting(&gateway.local_ca()).alpn(&["h2"]);
        Self::connect(&tls, gateway.https(), host).await
    }

    /// Both.
    pub(crate) async fn both(gateway: &Gateway, host: &str) -> [Self; 2] {
        [Self::http1(gateway, host).await, Self::http2(gateway, host).await]
    }

    /// HTTP/1.1 over TLS from another address of loopback.
    pub(crate) async fn http1_from(gateway: &Gateway, host: &str, source: &str) -> Self {
        let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]).from(source);
        Self::connect(&tls, gateway.https(), host).await
    }

    /// Whatever the TLS handshake agrees on.
    pub(crate) async fn connect(tls: &Tls, addr: SocketAddr, host: &str) -> Self {
        Self::over(tls.connect(addr, host).await, host).await
    }

    /// Over a connection whose handshake is done.
    pub(crate) async fn over(secure: Secure, host: &str) -> Self {
        let facts = secure.facts;
        let is_http2 = facts.alpn.as_deref() == Some("h2");
        let mut http = if is_http2 {
            Self::over_http2(secure.stream, host).await
        } else {
            Self::over_http1(secure.stream, host).await
        };
        http.facts = Some(facts);
        http
    }

    /// HTTP/1.1 in the clear.
    pub(crate) async fn plain(addr: SocketAddr, host: &str) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        Self::over_http1(stream, host).await
    }

    async fn over_http1<S>(stream: S, host: &str) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        Self {
            sender: Sender::Http1(sender),
            host: host.to_owned(),
            facts: None,
            connection: tokio::spawn(connection),
        }
    }

    async fn over_http2<S>(stream: S, host: &str) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = handshake.await.unwrap();
        Self {
            sender: Sender::Http2(sender),
            host: host.to_owned(),
            facts: None,
            connection: tokio::spawn(connection),
        }
    }

    /// What the TLS handshake came to.
    pub(crate) fn facts(&self) -> &Facts {
        self.facts.as_ref().expect("a plain connection has no TLS facts")
    }

    /// The protocol that is spoken.
    pub(crate) fn version(&self) -> Version {
        match self.sender {
            Sender::Http1(_) => Version::HTTP_11,
            Sender::Http2(_) => Version::HTTP_2,
        }
    }

    /// Sends a request and waits for the response's head. The host is the connection's, unless the
    /// request names its own: in its URI (HTTP/2) or in `Host` (HTTP/1.1).
    pub(crate) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let what = format!("the answer to {} {}", request.method(), request.uri());
        within(&what, self.send_slowly(request)).await
    }

    /// [`Http::send`] without a deadline, for a request whose body takes its time.
    pub(crate) async fn send_slowly(
        &mut self,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                if !request.headers().contains_key(HOST) {
                    request.headers_mut().insert(HOST, self.host.parse().unwrap());
                }
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => {
                if request.uri().authority().is_none() {
                    let uri = absolute(request.uri(), &self.host);
                    *request.uri_mut() = uri;
                }
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// A second handle to the same HTTP/2 connection, for a request beside others.
    pub(crate) fn beside(&self) -> Self {
        let Sender::Http2(sender) = &self.sender else {
            panic!("only HTTP/2 takes requests beside each other")
        };
        Self {
            sender: Sender::Http2(sender.clone()),
            host: self.host.clone(),
            facts: self.facts.clone(),
            connection: tokio::spawn(async { Ok(()) }),
        }
    }

    /// Sends a request and reads the whole response.
    pub(crate) async fn request(&mut self, request: Request<Body>) -> Reply {
        let what = format!("{:?} {} {}", self.version(), request.method(), request.uri());
        match self.try_request(request).await {
            Ok(reply) => reply,
            Err(error) => panic!("{what} failed: {error:?}"),
        }
    }

    /// [`Http::request`], where it may fail.
    pub(crate) async fn try_request(
        &mut self,
        request: Request<Body>,
    ) -> Result<Reply, hyper::Error> {
        let response = self.send(request).await?;
        Reply::read(response).await
    }

    /// A GET of a path.
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.request(get(path)).await
    }

    /// Waits for the server to close the connection.
    pub(crate) async fn closed(&mut self) {
        let end = within("the server to close the connection", &mut self.connection).await;
        // How it was closed is not asked here.
        drop(end.unwrap());
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// A GET request.
pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(empty()).unwrap()
}

/// A GET request with headers.
pub(crate) fn get_with(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(empty()).unwrap()
}

/// A POST request.
pub(crate) fn post(path: &str, body: Body) -> Request<Body> {
    Request::post(path).body(body).unwrap()
}

fn absolute(uri: &Uri, host: &str) -> Uri {
    let path = uri.path_and_query().cloned();
    Uri::builder()
        .scheme(Scheme::HTTPS)
        .authority(host.parse::<Authority>().unwrap())
        .path_and_query(path.unwrap_or(PathAndQuery::from_static("/")))
        .build()
        .unwrap()
}
