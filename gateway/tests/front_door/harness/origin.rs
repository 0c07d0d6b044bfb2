//! Origins: real HTTP/1.1 servers with a handler of the test's, and raw ones that misbehave.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::replies::{Body, full};

/// An origin. Dropping it closes its listener and all its connections.
pub(crate) struct Origin {
    addr: Option<SocketAddr>,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Origin {
    /// A server whose every request goes to the handler.
    pub(crate) async fn http<H, F>(handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::http_on(listener, handler)
    }

    /// [`Origin::http`] on a listener that is there already.
    pub(crate) fn http_on<H, F>(listener: TcpListener, handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&seen);
        let mut origin = Self::accepting(listener, move |stream, _| {
            serve(stream, Arc::clone(&log), handler.clone())
        });
        origin.seen = seen;
        origin
    }

    /// A server that answers every request with what it saw: see [`echo`].
    pub(crate) async fn echo() -> Self {
        Self::http(echo).await
    }

    /// A server that answers every request with 200 and this text.
    pub(crate) async fn text(text: &'static str) -> Self {
        Self::http(move |_| async move { Response::new(full(text)) }).await
    }

    /// A TLS server.
    pub(crate) async fn tls<H, F>(config: Arc<ServerConfig>, handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&seen);
        let acceptor = TlsAcceptor::from(config);
        let mut origin = Self::accepting(listener, move |stream, _| {
            let (acceptor, log, handler) = (acceptor.clone(), Arc::clone(&log), handler.clone());
            async move {
                // A client that does not trust the certificate is what a test may be about.
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, log, handler).await;
                }
            }
        });
        origin.seen = seen;
        origin
    }

    /// A server on a unix socket.
    pub(crate) fn unix<H, F>(path: &Path, handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = UnixListener::bind(path).unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(serve(stream, Arc::clone(&log), handler.clone()));
            }
        });
        Self { addr: None, connections: Arc::default(), seen, server }
    }

    /// A server whose every connection goes to the handler, with its number from 0.
    pub(crate) async fn raw<H, F>(handler: H) -> Self
    where
        H: Fn(TcpStream, usize) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::accepting(listener, handler)
    }

    fn accepting<H, F>(listener: TcpListener, handler: H) -> Self
    where
        H: Fn(TcpStream, usize) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let addr = listener.local_addr().unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&connections);
        let server = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst);
                open.spawn(handler(stream, number));
            }
        });
        Self { addr: Some(addr), connections, seen: Arc::default(), server }
    }

    /// Its address.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr.expect("a unix origin has no address")
    }

    /// How many connections it has taken.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// `METHOD target` of every request that reached an HTTP origin.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve<S, H, F>(stream: S, seen: Arc<Mutex<Vec<String>>>, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        seen.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    // A connection that ends badly is the gateway's or the test's doing, and is seen there.
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    drop(connection.with_upgrades().await);
}

/// Answers with what arrived: `{ method, target, headers: [[name, value], …], body }`. The headers
/// stand as they came, so that doubled ones are seen.
pub(crate) async fn echo(request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let headers: Vec<Value> = head
        .headers
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    let Ok(body) = body.collect().await else {
        return status(StatusCode::BAD_REQUEST, "the body broke off");
    };
    let seen = json!({
        "method": head.method.as_str(),
        "target": head.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body.to_bytes()),
    });
    let mut response = Response::new(full(seen.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
    response
}

/// The values of one header in what [`echo`] answered.
pub(crate) fn echoed(seen: &Value, name: &str) -> Vec<String> {
    let headers = seen["headers"].as_array().expect("this is not an echo");
    headers
        .iter()
        .filter(|header| header[0] == name)
        .map(|header| header[1].as_str().unwrap().to_owned())
        .collect()
}

/// The one value of a header in what [`echo`] answered.
///
/// # Panics
/// Where it is there twice.
pub(crate) fn echoed_once(seen: &Value, name: &str) -> Option<String> {
    let mut values = echoed(seen, name);
    assert!(values.len() <= 1, "the origin got {name} {} times: {values:?}", values.len());
    values.pop()
}

/// A response of a status and a text.
pub(crate) fn status(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response
}

/// Reads a request's head off a raw connection; `None` where it ended first.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
