//! What answers http-01 challenges in these tests, in the gateway's place.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

type Tokens = Arc<Mutex<HashMap<String, String>>>;

/// A server on loopback. It ends when dropped.
pub(crate) struct Responder {
    addr: SocketAddr,
    tokens: Tokens,
    server: JoinHandle<()>,
}

impl Responder {
    /// Starts one that knows no token.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let tokens = Tokens::default();
        let server = tokio::spawn(serve(listener, Arc::clone(&tokens)));
        Self { addr, tokens, server }
    }

    /// Its address.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers a token with this key authorization from now on.
    pub(crate) fn set(&self, token: &str, authorization: &str) {
        self.tokens.lock().unwrap().insert(token.to_owned(), authorization.to_owned());
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, tokens: Tokens) {
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let tokens = Arc::clone(&tokens);
        let service = service_fn(move |request| {
            let answer = answer(&request, &tokens);
            async move { Ok::<_, Infallible>(answer) }
        });
        open.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn answer(request: &Request<Incoming>, tokens: &Tokens) -> Response<Full<Bytes>> {
    let token = request.uri().path().strip_prefix("/.well-known/acme-challenge/");
    let tokens = tokens.lock().unwrap();
    let authorization = token.and_then(|token| tokens.get(token));
    let mut response = Response::new(Full::from(authorization.cloned().unwrap_or_default()));
    if authorization.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
