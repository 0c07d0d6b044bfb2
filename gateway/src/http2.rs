//! HTTP/2: the streams of a connection, side by side, each in a task of its own.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use pingora_core::protocols::Digest;
use pingora_core::protocols::http::ServerSession;
use pingora_core::protocols::http::v2::server::{
    H2Accept, HttpSession as Http2Stream, default_h2_options, handshake,
};
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::connection::Connection;
use crate::proxy;
use crate::stream::GatheringStream;

/// What a client may have on its way to us without our having read it: for one stream, and for all
/// of a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Malformed requests that one connection may send before it is closed.
const MALFORMED_STREAMS: u32 = 32;

/// Serves a connection until its end.
pub(crate) async fn http2(stream: GatheringStream, connection: Arc<Connection>) {
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
