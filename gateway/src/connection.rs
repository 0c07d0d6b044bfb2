//! What all requests of one client's connection share, and how it ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pingora_core::protocols::http::v1::server::HttpSession as Http1;
use pingora_core::protocols::http::{ReusableHttpStream, ServerSession};
use tokio::time::timeout;

use crate::snapshot::Snapshot;
use crate::stop::Stage;
use crate::stream::GatheringStream;
use crate::tls::TlsFacts;
use crate::worker::Worker;

/// How long a client may take to receive the end of an answer: at most 64 KiB that wait to be sent,
/// and the last words of a connection that is closed.
const LAST_FLUSH: Duration = Duration::from_secs(60);

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
    pub(crate) fn is_draining(&self) -> bool {
        self.listener != Listener::Admin && self.worker.shared.stop.stage() > Stage::Running
    }

    /// Returns once [`Self::is_draining`].
    pub(crate) async fn draining(&self) {
        match self.listener {
            Listener::Admin => std::future::pending().await,
            Listener::Http | Listener::Https => {
                self.worker.shared.stop.reached(Stage::Draining).await;
            }
        }
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
