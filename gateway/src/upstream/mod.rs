//! Upstreams: which server a request goes to, over which connection.

mod connect;
mod names;
mod pool;
mod session;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use gateway_config::model;

use crate::fault::Fault;
use crate::metrics::UpstreamMetrics;
use crate::stream::GatheringStream;

pub(crate) use names::Names;
pub(crate) use pool::{Peer, Pool};
pub(crate) use session::{AnswerError, AnswerPiece, Session};
pub use tls::TlsError;
pub(crate) use tls::Trust;

/// The next [`Upstream::id`].
static NEXT_ID: AtomicUsize = AtomicUsize::new(0);

/// An upstream, ready to be asked.
pub(crate) struct Upstream {
    /// Never given twice in one process: a connection that was made for one upstream's rules (TLS,
    /// its roots) is not handed to another at the same address.
    id: usize,
    pub(crate) config: Arc<model::Upstream>,
    servers: Vec<Server>,
    tls: Option<Arc<rustls::ClientConfig>>,
    turn: AtomicUsize,
    pub(crate) metrics: UpstreamMetrics,
}

/// A place in the order in which an upstream's servers are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn(usize);

/// One server of an upstream.
struct Server {
    /// As the configuration wrote it; what logs call it.
    label: Arc<str>,
    place: Place,
    /// The name that its certificate must be for.
    tls_name: Option<rustls_pki_types::ServerName<'static>>,
}

/// Where a server is.
enum Place {
    Fixed(Peer),
    Named { name: Arc<names::Name>, port: u16 },
}

/// A connection to one server, fit for one request.
pub(crate) struct Connection {
    pub(crate) session: Session,
    /// As the configuration wrote it; what logs call it.
    pub(crate) server: Arc<str>,
    /// Whether other requests went over it before: then it may have died unseen.
    pub(crate) reused: bool,
    peer: Peer,
    upstream: usize,
}

impl Upstream {
    /// Prepares an upstream: subscribes to its names, and keeps the TLS configuration for it.
    pub(crate) fn new(
        config: Arc<model::Upstream>,
        names: &Names,
        tls: Option<Arc<rustls::ClientConfig>>,
        metrics: UpstreamMetrics,
    ) -> Self {
        let servers = config.servers.iter().map(|endpoint| Server::new(endpoint, names)).collect();
        let id = NEXT_ID.fetch_add(1, Relaxed);
        Self { id, config, servers, tls, turn: AtomicUsize::new(0), metrics }
    }

    /// Whether this is what a new configuration asks for too, so that it can go on as it is.
    pub(crate) fn is_still(
        &self,
        config: &model::Upstream,
        tls: Option<&Arc<rustls::ClientConfig>>,
    ) -> bool {
        let same_tls = match (&self.tls, tls) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        };
        same_tls && *self.config == *config
    }

    /// Whose turn it is.
    pub(crate) fn next_turn(&self) -> Turn {
        Turn(self.turn.fetch_add(1, Relaxed))
    }

    /// A kept connection to the server whose turn it is.
    pub(crate) fn kept(&self, turn: Turn, pool: &Pool) -> Option<Connection> {
        let server = self.servers.get(turn.0 % self.servers.len())?;
        self.kept_to(server, pool)
    }

    /// A new connection to the server whose turn it is, or to the next that can be reached; to that
    /// a kept one of `pool` will do.
    ///
    /// # Errors
    /// [`Fault::Unresolved`], [`Fault::Connect`], [`Fault::ConnectTimeout`] of the last server tried.
    pub(crate) async fn open(&self, turn: Turn, pool: Option<&Pool>) -> Result<Connection, Fault> {
        let mut last = None;
        for step in 0..self.servers.len() {
            let server = &self.servers[(turn.0 + step) % self.servers.len()];
            let kept = pool.filter(|_| step > 0).and_then(|pool| self.kept_to(server, pool));
            if let Some(kept) = kept {
                return Ok(kept);
            }
            match self.open_to(server).await {
                Ok(connection) => return Ok(connection),
                Err(fault) => last = Some(fault),
            }
            self.metrics.failed.inc();
        }
        // The configuration has at least one server, so the loop has run.
        Err(last.unwrap_or_else(|| Fault::Unresolved {
            name: self.config.name.clone(),
            reason: "it has no servers".into(),
        }))
    }

    async fn open_to(&self, server: &Server) -> Result<Connection, Fault> {
        let limit = self.config.connect;
        let deadline = tokio::time::Instant::now() + limit;
        let peers = server.peers(deadline).await?;
        let connecting =
            connect::first_reachable(&peers, self.tls.as_ref().zip(server.tls_name.as_ref()));
        let connected = tokio::time::timeout_at(deadline, connecting).await;
        let label = server.label.clone();
        let failure = match connected {
            Ok(Ok((stream, peer))) => {
                self.metrics.new.inc();
                return Ok(self.connection(server, peer, Box::new(stream), false));
            }
            Ok(Err(source)) => Fault::Connect { server: label, source },
            Err(_elapsed) => Fault::ConnectTimeout { server: label, after: limit },
        };
        // Whatever answered there may have moved; the records may have too.
        if let Place::Named { name, .. } = &server.place {
            name.refresh_soon();
        }
        Err(failure)
    }

    /// A kept connection to one of the addresses that the server has now.
    fn kept_to(&self, server: &Server, pool: &Pool) -> Option<Connection> {
        let now = Instant::now();
        let take = |peer: Peer| {
            let stream = pool.take(self.id, &peer, now)?;
            self.metrics.reused.inc();
            Some(self.connection(server, peer, stream, true))
        };
        match &server.place {
            Place::Fixed(peer) => take(peer.clone()),
            Place::Named { name, port } => {
                let known = name.known()?;
                known.iter().find_map(|ip| take(Peer::Ip((*ip, *port).into())))
            }
        }
    }

    fn connection(
        &self,
        server: &Server,
        peer: Peer,
        stream: Box<GatheringStream>,
        reused: bool,
    ) -> Connection {
        let (session, server) = (Session::new(stream), server.label.clone());
        Connection { session, server, reused, peer, upstream: self.id }
    }
}

impl Server {
    fn new(endpoint: &model::Endpoint, names: &Names) -> Self {
        use rustls_pki_types::ServerName;
        let label: Arc<str> = endpoint.to_string().into();
        match endpoint {
            model::Endpoint::Addr(addr) => Self {
                label,
                place: Place::Fixed(Peer::Ip(*addr)),
                tls_name: Some(ServerName::IpAddress(addr.ip().into())),
            },
            model::Endpoint::Unix(path) => {
                Self { label, place: Place::Fixed(Peer::Unix(path.clone())), tls_name: None }
            }
            model::Endpoint::Name { host, port } => Self {
                label,
                place: Place::Named { name: names.get(host), port: *port },
                tls_name: ServerName::try_from(host.as_str().to_owned()).ok(),
            },
        }
    }

    async fn peers(&self, deadline: tokio::time::Instant) -> Result<Vec<Peer>, Fault> {
        match &self.place {
            Place::Fixed(peer) => Ok(vec![peer.clone()]),
            Place::Named { name, port } => match name.addresses(deadline).await {
                Ok(addresses) => {
                    Ok(addresses.iter().map(|ip| Peer::Ip((*ip, *port).into())).collect())
                }
                Err(reason) => Err(Fault::Unresolved { name: name.host().to_string(), reason }),
            },
        }
    }
}

impl Connection {
    /// Gives the connection back, where what was said on it allows another request.
    pub(crate) fn release(self, pool: &Pool) {
        if let Some(stream) = self.session.into_idle() {
            pool.put(self.upstream, &self.peer, stream, Instant::now());
        }
    }
}
