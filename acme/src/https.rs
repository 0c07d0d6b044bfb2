//! One HTTPS client for every API that certificates need: the CA's and a DNS provider's.

mod error;
mod tls;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub use self::error::HttpsError;
use self::error::{Circumstances, Unresolved};
use crate::dns::Resolver;

/// What the gateway calls itself.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("gateway/", env!("CARGO_PKG_VERSION")));

/// No answer of these APIs comes near it, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// A connection, with its name resolved and TLS agreed upon.
const CONNECT: Duration = Duration::from_secs(10);

/// A request as a whole, from the first byte of the connection to the last of the answer.
const REQUEST: Duration = Duration::from_secs(30);

/// How long a connection may wait for the next request.
const IDLE: Duration = Duration::from_secs(30);

/// The client: HTTP/1.1 and HTTP/2, verified with the system's roots and those it was given. Cloning
/// shares its connections.
#[derive(Clone)]
pub struct HttpsClient {
    client: Client<HttpsConnector<HttpConnector<Lookup>>, Full<Bytes>>,
    no_roots: bool,
    time_limit: Duration,
}

impl HttpsClient {
    /// A client that trusts the roots of the PEM file `roots` besides the system's, and resolves
    /// names with `nameservers`, or those of `/etc/resolv.conf` where there are none.
    ///
    /// # Errors
    /// [`HttpsError::Roots`] and [`HttpsError::Root`] where the file is of no use.
    pub fn new(roots: Option<&Path>, nameservers: &[SocketAddr]) -> Result<Self, HttpsError> {
        let (tls, no_roots) = tls::client_config(roots)?;
        let mut tcp =
            HttpConnector::new_with_resolver(Lookup(Arc::new(Resolver::new(nameservers))));
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, no_roots, time_limit: REQUEST })
    }

    /// The same client, whose requests may take at most `limit` instead of 30 seconds.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { time_limit: limit, ..self }
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`HttpsError`]: there is no answer.
    pub async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpsError> {
        let server = match request.uri().authority() {
            Some(authority) => authority.host().to_owned(),
            None => return Err(HttpsError::NoHost { uri: request.uri().path().to_owned() }),
        };
        request.headers_mut().insert(USER_AGENT, AGENT);
        let circumstances = Circumstances { server, no_roots: self.no_roots };
        let exchanged = self.exchange(request, &circumstances);
        match tokio::time::timeout(self.time_limit, exchanged).await {
            Ok(result) => result,
            Err(_) => Err(HttpsError::TimedOut { server: circumstances.server }),
        }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        circumstances: &Circumstances,
    ) -> Result<Response<Bytes>, HttpsError> {
        let failed = |error| HttpsError::of(error, circumstances);
        let answer = self.client.request(request.map(Full::new)).await;
        let (head, body) = answer.map_err(|error| failed(Box::new(error)))?.into_parts();
        let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(failed)?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

impl std::fmt::Debug for HttpsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpsClient").field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}

/// Names by hickory: `getaddrinfo` of a static binary knows only half of what the system does.
#[derive(Clone)]
struct Lookup(Arc<Resolver>);

impl tower_service::Service<Name> for Lookup {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Unresolved;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Unresolved>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.0.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await.map_err(Unresolved)?;
            // The connector puts the port in.
            let sockets: Vec<_> =
                addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(sockets.into_iter())
        })
    }
}
