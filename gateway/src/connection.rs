//! One client's connection: its requests, one after the other (HTTP/1.1) or side by side (HTTP/2).

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use pingora_core::protocols::http::v1::server::HttpSession as Http1;
use pingora_core::protocols::http::v2::server::{
    H2Accept, HttpSession as Http2Stream, default_h2_options, handshake,
};
use pingora_core::protocols::http::{ReusableHttpStream, ServerSession};
use pingora_core::protocols::{Digest, Stream};
use pingora_error::ErrorType;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::fault::Fault;
use crate::gateway::Worker;
use crate::snapshot::Snapshot;
use crate::stop::Stage;
use crate::stream::{GatheringStream, Meter, Transport};
use crate::tls::{self, TlsFacts};
use crate::{admin, plain, proxy};

/// The longest request head, in bytes: for HTTP/1.1 with its request line, for HTTP/2 decoded.
pub(crate) const HEAD_CAP: u64 = 64 * 1024;

/// What a client may have on its way to us without our having read it: for one HTTP/2 stream, and
/// for all of a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How long a client may take to receive the end of an answer: at most 64 KiB that wait to be sent,
/// and the last words of a connection that is closed.
const LAST_FLUSH: Duration = Duration::from_secs(60);

/// Malformed HTTP/2 requests that one connection may send before it is closed.
const MALFORMED_STREAMS: u32 = 32;

/// Which listener a connection came in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    Http,
    Https,
    Admin,
}

impl Listener {
    /// Its label in log and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Admin => "admin",
        }
    }
}

/// What all requests of a connection share.
pub(crate) struct Connection {
    pub(crate) listener: Listener,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) worker: Arc<Worker>,
}

impl Connection {
    /// Whether the connection is to end after what is going on. Those to the admin listener are not:
    /// somebody wants to watch.
    fn is_draining(&self) -> bool {
        self.listener != Listener::Admin && self.worker.shared.stop.stage() > Stage::Running
    }

    /// Returns once [`Self::is_draining`].
    async fn draining(&self) {
        match self.listener {
            Listener::Admin => std::future::pending().await,
            Listener::Http | Listener::Https => {
                self.worker.shared.stop.reached(Stage::Draining).await;
            }
        }
    }
}

/// Serves a connection of a public listener, if the caps allow one more.
pub(crate) async fn admit(
    listener: Listener,
    tcp: TcpStream,
    peer: SocketAddr,
    worker: Arc<Worker>,
) {
    let shared = &worker.shared;
    let snapshot = shared.snapshot.load_full();
    let _counted = match shared.census.enter(snapshot.counted_as(peer.ip())) {
        Ok(counted) => counted,
        Err(full) => {
            shared.metrics.connections_refused.with_label_values(&[full.reason()]).inc();
            return;
        }
    };
    serve(listener, tcp, peer, snapshot, worker.clone()).await;
}

/// Serves a connection until its end.
pub(crate) async fn serve(
    listener: Listener,
    tcp: TcpStream,
    peer: SocketAddr,
    snapshot: Arc<Snapshot>,
    worker: Arc<Worker>,
) {
    let metrics = worker.shared.metrics.clone();
    metrics.connections.with_label_values(&[listener.name()]).inc();
    let open = metrics.connections_open.with_label_values(&[listener.name()]);
    open.inc();
    match listener {
        Listener::Https => serve_tls(tcp, peer, snapshot, worker).await,
        Listener::Http | Listener::Admin => {
            let connection = Connection { listener, peer, tls: None, snapshot, worker };
            http1(GatheringStream::to_client(Transport::Tcp(tcp)), &connection).await;
        }
    }
    open.dec();
}

async fn serve_tls(tcp: TcpStream, peer: SocketAddr, snapshot: Arc<Snapshot>, worker: Arc<Worker>) {
    let metrics = &worker.shared.metrics;
    let limit = snapshot.server.timeouts.handshake;
    let certificates = &snapshot.certificates;
    let shaken = tls::handshake(tcp, &certificates.store, &certificates.tls, limit).await;
    let (stream, facts) = match shaken {
        Ok(established) => established,
        Err(error) => {
            metrics.handshake_failures.with_label_values(&[error.reason()]).inc();
            return;
        }
    };
    let labels =
        [facts.version, facts.group.unwrap_or("none"), if facts.resumed { "yes" } else { "no" }];
    metrics.handshakes.with_label_values(&labels).inc();
    let stream = GatheringStream::to_client(Transport::TlsServer(Box::new(stream)));
    let connection =
        Connection { listener: Listener::Https, peer, tls: Some(facts), snapshot, worker };
    if facts.http2 {
        http2(stream, Arc::new(connection)).await;
    } else {
        http1(stream, &connection).await;
    }
}

async fn http1(stream: GatheringStream, connection: &Connection) {
    let meter = stream.meter();
    let mut draining = pin!(connection.draining());
    let (mut stream, mut begun): (Stream, _) = (Box::new(stream), None);
    loop {
        let mut session = ServerSession::new_http1(stream);
        session.set_pipelining_enabled(true);
        // Time-outs are set where it is known what is being waited for.
        session.set_read_timeout(None);
        let mut head = HeadWait::new(connection, &meter, begun.is_some());
        if let Some(bytes) = begun.take() {
            session.set_pipelined_prefix(bytes);
        }
        match head.read(&mut session, draining.as_mut()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => return proxy::refuse_head(session, connection, fault).await,
        }
        if connection.is_draining() {
            session.set_keepalive(None);
        }
        let Some(reusable) = answer(session, connection).await else { return };
        (stream, begun) = reusable.into_parts();
    }
}

/// Sends what is left of an answer. Gives the connection back where another request may follow.
pub(crate) async fn finish(session: ServerSession) -> Option<ReusableHttpStream> {
    let finishing = async {
        match session {
            ServerSession::H1(http1) if !http1.will_keepalive() => {
                close(http1).await;
                None
            }
            // A client that went away in the last moment has had its record written as answered.
            session => session.finish().await.ok().flatten(),
        }
    };
    // A client that takes nothing would hold its connection for ever.
    timeout(LAST_FLUSH, finishing).await.ok().flatten()
}

async fn close(mut http1: Http1) {
    if http1.finish_body().await.is_ok()
        && let Some(stream) = GatheringStream::reclaim(http1.into_inner())
    {
        stream.close().await;
    }
}

async fn answer(session: ServerSession, connection: &Connection) -> Option<ReusableHttpStream> {
    match connection.listener {
        Listener::Https => proxy::serve(session, connection).await,
        Listener::Http => plain::serve(session, connection).await,
        Listener::Admin => admin::serve(session, connection).await,
    }
}

/// Waiting for the head of an HTTP/1.1 request: in silence for as long as `keepalive` allows; from
/// its first byte on for as long as `header` allows, however the bytes trickle in.
struct HeadWait<'c> {
    connection: &'c Connection,
    meter: &'c Meter,
    read_before: u64,
    started: bool,
    deadline: Pin<Box<Sleep>>,
}

impl<'c> HeadWait<'c> {
    fn new(connection: &'c Connection, meter: &'c Meter, started: bool) -> Self {
        let limits = &connection.snapshot.server.timeouts;
        let limit = if started { limits.header } else { limits.keepalive };
        Self {
            connection,
            meter,
            read_before: meter.read(),
            started,
            deadline: Box::pin(sleep(limit)),
        }
    }

    /// `Ok(false)`: the connection ended where it may end, between two requests.
    async fn read(
        &mut self,
        session: &mut ServerSession,
        mut draining: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<bool, Fault> {
        let limit = self.connection.snapshot.server.timeouts.header;
        let mut stopped = self.connection.is_draining();
        let mut reading = pin!(session.read_request());
        std::future::poll_fn(|cx| {
            if let Poll::Ready(read) = reading.as_mut().poll(cx) {
                return Poll::Ready(read.or_else(head_fault));
            }
            let received = self.meter.read() - self.read_before;
            if received > HEAD_CAP {
                return Poll::Ready(Err(Fault::HeadTooLarge));
            }
            if received > 0 && !self.started {
                self.started = true;
                self.deadline.as_mut().reset(Instant::now() + limit);
            }
            stopped = stopped || draining.as_mut().poll(cx).is_ready();
            if stopped && !self.started {
                return Poll::Ready(Ok(false));
            }
            match self.deadline.as_mut().poll(cx) {
                Poll::Ready(()) if self.started => Poll::Ready(Err(Fault::HeadTimeout(limit))),
                Poll::Ready(()) => Poll::Ready(Ok(false)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

/// A client that goes away in the middle of a head has nobody left to be told about it.
fn head_fault(error: Box<pingora_error::Error>) -> Result<bool, Fault> {
    match error.etype() {
        ErrorType::InvalidHTTPHeader => Err(Fault::MalformedHead(error)),
        _ => Ok(false),
    }
}

async fn http2(stream: GatheringStream, connection: Arc<Connection>) {
    let mut options = default_h2_options();
    options.initial_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    let limits = connection.snapshot.server.timeouts;
    let shaken = timeout(limits.header, handshake(Box::new(stream), Some(options))).await;
    let Ok(Ok(mut http2)) = shaken else { return };
    let digest = Arc::new(Digest::default());
    let mut draining = pin!(connection.draining());
    let mut idle = IdleWatch::new(limits.keepalive);
    let (mut going_away, mut malformed) = (false, 0);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut draining, if !going_away => {
                http2.graceful_shutdown();
                going_away = true;
                continue;
            }
            accepted = Http2Stream::from_h2_conn(&mut http2, digest.clone()) => accepted,
            () = idle.passed() => {
                if going_away {
                    return;
                }
                http2.graceful_shutdown();
                going_away = true;
                continue;
            }
        };
        match accepted {
            Ok(Some(H2Accept::Session(stream))) => {
                let (connection, in_flight) = (connection.clone(), idle.stream());
                tokio::spawn(async move {
                    let session = ServerSession::new_http2(stream);
                    proxy::serve(session, &connection).await;
                    drop(in_flight);
                });
            }
            Ok(Some(H2Accept::Rejected)) if malformed < MALFORMED_STREAMS => malformed += 1,
            Ok(Some(H2Accept::Rejected) | None) | Err(_) => return,
        }
    }
}

/// Notices when an HTTP/2 connection has had no stream for a while.
struct IdleWatch {
    limit: Duration,
    streams: Arc<()>,
    deadline: Pin<Box<Sleep>>,
}

impl IdleWatch {
    fn new(limit: Duration) -> Self {
        Self { limit, streams: Arc::new(()), deadline: Box::pin(sleep(limit)) }
    }

    /// A stream is in flight for as long as this is held.
    fn stream(&mut self) -> Arc<()> {
        self.deadline.as_mut().reset(Instant::now() + self.limit);
        self.streams.clone()
    }

    async fn passed(&mut self) {
        loop {
            self.deadline.as_mut().await;
            self.deadline.as_mut().reset(Instant::now() + self.limit);
            if Arc::strong_count(&self.streams) == 1 {
                return;
            }
        }
    }
}
