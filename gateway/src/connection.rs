//! What all requests of one client's connection share.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::snapshot::Snapshot;
use crate::stop::{Stage, Stop};
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
    /// The configuration of the request that is being served; see [`Self::renewed`].
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) worker: Arc<Worker>,
    /// Begins to drain when its listener is given up.
    pub(crate) door: Stop,
}

impl Connection {
    pub(crate) fn new(
        listener: Listener,
        peer: SocketAddr,
        tls: Option<TlsFacts>,
        snapshot: Arc<Snapshot>,
        worker: Arc<Worker>,
        door: Stop,
    ) -> Self {
        let peer_text = peer.ip().to_canonical().to_string();
        Self { listener, peer, peer_text, tls, client: None, snapshot, worker, door }
    }

    /// The same connection with the configuration that has been published since, for its next
    /// request. `None` where that is the one it has.
    ///
    /// What was agreed on when the connection began stays: its protocol, the site whose certificate
    /// was shown, and what the client showed. Where that site is gone, or asks its clients for other
    /// certificates now, or holds them against other lists, every request is misdirected, which tells
    /// the client to make a connection anew (RFC 9110 section 15.5.20).
    pub(crate) fn renewed(&self) -> Option<Self> {
        let shared = &self.worker.shared;
        if shared.is_current(&self.snapshot) {
            return None;
        }
        let snapshot = shared.snapshot.load_full();
        let tls = self.tls.map(|facts| {
            let shown = facts.site.and_then(|site| Some((site, self.snapshot.sites.get(site)?)));
            let site = shown.and_then(|(before, site)| {
                let place = snapshot.site_named(&site.name, before)?;
                let asks_alike = snapshot.sites.get(place)?.client_certs == site.client_certs
                    && snapshot.clients_version(place) == self.snapshot.clients_version(before);
                asks_alike.then_some(place)
            });
            TlsFacts { site, ..facts }
        });
        Some(Self {
            listener: self.listener,
            peer: self.peer,
            peer_text: self.peer_text.clone(),
            tls,
            client: self.client.clone(),
            snapshot,
            worker: self.worker.clone(),
            door: self.door.clone(),
        })
    }

    /// Whether the connection is to end after what is going on. Those to the admin listener are not:
    /// somebody wants to watch.
    pub(crate) fn is_draining(&self) -> bool {
        self.listener != Listener::Admin && self.worker.shared.stop.stage() > Stage::Running
    }

    /// Whether another request is to come on another connection. Unlike one that drains, a silent
    /// connection is not cut off under a client that may just be sending.
    pub(crate) fn is_leaving(&self) -> bool {
        self.is_draining() || self.door.stage() > Stage::Running
    }

    /// Returns once [`Self::is_leaving`].
    pub(crate) async fn leaving(&self) {
        tokio::select! {
            () = self.draining() => {}
            () = self.door.reached(Stage::Draining) => {}
        }
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
