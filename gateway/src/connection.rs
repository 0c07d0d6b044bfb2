//! What all requests of one client's connection share.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::snapshot::Snapshot;
use crate::stop::Stage;
use crate::tls::TlsFacts;
use crate::worker::Worker;

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
    /// The peer's address as text, IPv4-mapped IPv6 addresses as IPv4: every request says it thrice.
    pub(crate) peer_text: String,
    pub(crate) tls: Option<TlsFacts>,
    /// Whom the client's certificate is made out to, where it showed one.
    pub(crate) client: Option<String>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) worker: Arc<Worker>,
}

impl Connection {
    pub(crate) fn new(
        listener: Listener,
        peer: SocketAddr,
        tls: Option<TlsFacts>,
        snapshot: Arc<Snapshot>,
        worker: Arc<Worker>,
    ) -> Self {
        let peer_text = peer.ip().to_canonical().to_string();
        Self { listener, peer, peer_text, tls, client: None, snapshot, worker }
    }

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
