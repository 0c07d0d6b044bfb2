//! Real origins: hyper on free ports, and a WebSocket that echoes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server for as long as the test runs.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

/// What an origin speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http1,
    Http2,
    WebSocket,
}

impl Origin {
    pub(crate) fn http1() -> Self {
        Self::start(Speaks::Http1, None)
    }

    pub(crate) fn start(speaks: Speaks, tls: Option<TlsAcceptor>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::<Counts>::default();
        let counted = counts.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                accept(TcpListener::from_std(listener).unwrap(), speaks, tls, counted).await;
            });
        });
        Self { address, counts }
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::Acquire)
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::Acquire)
    }
}

async fn accept(
    listener: TcpListener,
    speaks: Speaks,
    tls: Option<TlsAcceptor>,
    counts: Arc<Counts>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        counts.connections.fetch_add(1, Ordering::AcqRel);
        let (tls, counts) = (tls.clone(), counts.clone());
        tokio::spawn(async move {
            match tls {
                // A client that goes away in the middle is its own affair.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, speaks, counts).await;
                    }
                }
                None => serve(stream, speaks, counts).await,
            }
        });
    }
}

async fn serve<S>(stream: S, speaks: Speaks, counts: Arc<Counts>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, counts.clone()));
    match speaks {
        Speaks::Http1 => {
            let connection = hyper::server::conn::http1::Builder::new();
            drop(connection.serve_connection(TokioIo::new(stream), service).await);
        }
        Speaks::Http2 => {
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            drop(connection.serve_connection(TokioIo::new(stream), service).await);
        }
        Speaks::WebSocket => {
            let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
            while let Some(Ok(message)) = socket.next().await {
                if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err()
                {
                    return;
                }
            }
        }
    }
}

/// `/echo` sends the body back, `/status/503` has that status, `/slow` takes half a second,
/// `/large` has 300,000 bytes, `/elsewhere` redirects; everything else is `ok PATH`.
async fn answer(
    request: Request<Incoming>,
    counts: Arc<Counts>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    counts.requests.fetch_add(1, Ordering::AcqRel);
    let uri = request.uri().clone();
    let response = Response::builder().header("content-type", "text/plain; charset=utf-8");
    let path = uri.path();
    if let Some(status) = path.strip_prefix("/status/") {
        let status: u16 = status.parse().unwrap();
        return Ok(response.status(status).body(Full::default()).unwrap());
    }
    let body = match path {
        "/echo" => {
            request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default()
        }
        "/large" => Bytes::from(vec![b'l'; 300_000]),
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Bytes::from_static(b"slow")
        }
        "/elsewhere" => {
            let response = response.status(302).header("location", "http://192.0.2.1/");
            return Ok(response.body(Full::default()).unwrap());
        }
        _ => Bytes::from(format!("ok {}", uri.path_and_query().unwrap())),
    };
    Ok(response.body(Full::new(body)).unwrap())
}
