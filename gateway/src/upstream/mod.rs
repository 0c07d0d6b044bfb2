//! Upstreams: which server a request goes to, over which connection.

mod budget;
mod check;
mod connect;
mod health;
mod http1;
mod http2;
mod members;
mod names;
mod pick;
mod pool;
mod queue;
mod rendezvous;
mod session;
mod standing;
mod sticky;
mod tls;
mod tries;

use std::io;
use std::net::IpAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};
use std::time::Instant;

use arc_swap::ArcSwap;
use gateway_config::model::{self, Balance, Protocol};
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;

use crate::descriptors;
use crate::fault::Fault;
use crate::head::Fields;
use crate::metrics::UpstreamMetrics;
use crate::shard::Alone;
use budget::Budget;
use connect::Introduction;
use http1::Http1;
use members::{Member, Members, Place, Server};
use names::Job;
use queue::{Slot, WaitingRoom};

pub(crate) use names::Names;
pub(crate) use pick::Wanted;
pub(crate) use pool::Pool;
pub(crate) use session::{AnswerError, AnswerPiece, Session};
pub use sticky::StickyError;
pub(crate) use sticky::StickyKey;
pub use tls::TlsError;
pub(crate) use tls::Trust;

/// An upstream, ready to be asked.
pub(crate) struct Upstream {
    pub(crate) config: Arc<model::Upstream>,
    servers: Vec<Server>,
    /// The addresses that the servers have now.
    members: ArcSwap<Members>,
    /// Held while they are put together anew.
    regrouping: Mutex<()>,
    itself: Weak<Self>,
    jobs: UnboundedSender<Job>,
    tls: Option<Arc<rustls::ClientConfig>>,
    sticky: Option<Arc<StickyKey>>,
    /// Whose turn it is, where there are several.
    turn: Alone<AtomicUsize>,
    budget: Budget,
    /// Whether requests are counted at their members, how many each may have, and where others wait.
    counts: bool,
    most: Option<u32>,
    room: Option<Arc<WaitingRoom>>,
    pub(crate) metrics: UpstreamMetrics,
    /// Whether it is what a served configuration has; only then the metrics show its servers.
    is_served: Mutex<bool>,
}

/// What an upstream is built with besides its configuration.
pub(crate) struct Tools<'t> {
    pub(crate) names: &'t Names,
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    /// Where a cookie is set.
    pub(crate) sticky: Option<Arc<StickyKey>>,
    pub(crate) metrics: UpstreamMetrics,
    pub(crate) workers: usize,
}

/// A connection to one server, fit for one request.
pub(crate) struct Connection {
    pub(crate) session: Session,
    member: Arc<Member>,
    /// Whether other requests went over it before: then it may have died unseen.
    pub(crate) reused: bool,
    /// Its first bytes said whose requests come over it.
    for_one_client: bool,
    /// Counts the request at its member, for as long as the connection is used.
    _slot: Option<Slot>,
}

impl Upstream {
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

    /// Prepares an upstream: subscribes to its names, and keeps the TLS configuration for it.
    pub(crate) fn new(config: Arc<model::Upstream>, tools: Tools<'_>) -> Arc<Self> {
        let Tools { names, tls, sticky, metrics, workers } = tools;
        let sni = config.sni.as_ref();
        let server = |server| Server::new(server, sni, |host| names.get(host));
        let servers: Vec<_> = config.servers.iter().map(server).collect();
        let most = config.max_requests.map(std::num::NonZeroU32::get);
        let upstream = Arc::new_cyclic(|itself| Self {
            servers,
            members: ArcSwap::default(),
            regrouping: Mutex::new(()),
            itself: itself.clone(),
            jobs: names.jobs(),
            tls,
            sticky,
            turn: Alone::default(),
            budget: Budget::new(workers),
            counts: most.is_some() || config.balance == Balance::LeastConnections,
            most,
            room: config.queue.map(|queue| Arc::new(WaitingRoom::new(queue, most))),
            metrics,
            is_served: Mutex::new(false),
            config,
        });
        for server in &upstream.servers {
            if let Place::Named { name, .. } = &server.place {
                name.follow(upstream.itself.clone());
            }
        }
        upstream.regroup();
        upstream
    }

    /// Takes up the addresses that the servers have now.
    fn regroup(&self) {
        let _one_after_the_other = self.regrouping.lock();
        let old = self.members.load_full();
        let members = Members::of(&self.servers, &old, self.sticky.as_deref());
        if self.config.health.is_some() {
            let is_new = |member: &&Arc<Member>| !old.iter().any(|known| known.id == member.id);
            for member in members.iter().filter(is_new) {
                let (upstream, member) = (self.itself.clone(), member.clone());
                // Where nobody takes jobs, nobody serves either.
                let _ = self.jobs.send(Job::Check(check::Checked { upstream, member }));
            }
        }
        self.members.store(Arc::new(members));
        self.publish();
    }

    /// Whether a member is still one.
    fn has(&self, member: &Member) -> bool {
        self.members.load().iter().any(|known| known.id == member.id)
    }

    fn kept_to(&self, member: u64, pool: &Pool) -> Option<(Arc<Member>, Session)> {
        let now = Instant::now();
        let kept = match self.config.protocol {
            Protocol::Http | Protocol::Https => {
                let (member, stream) = pool.take(member, now)?;
                (member, Session::Http1(Http1::new(stream)))
            }
            Protocol::H2c => {
                let (member, sender) = pool.share(member, now)?;
                (member, Session::Http2(Box::new(http2::Stream::new(sender))))
            }
        };
        self.metrics.reused.inc();
        Some(kept)
    }

    /// `client` is whom the connection is made for.
    async fn open_to(&self, member: &Member, client: IpAddr) -> Result<Session, Fault> {
        let limit = self.config.connect;
        let server = || member.label.clone();
        match tokio::time::timeout(limit, self.connect(member, client)).await {
            Ok(Ok(session)) => {
                self.metrics.new.inc();
                Ok(session)
            }
            Ok(Err(source)) if descriptors::are_spent(&source) => {
                Err(Fault::NoDescriptor { server: server(), source })
            }
            Ok(Err(source)) => Err(Fault::Connect { server: server(), source }),
            Err(_elapsed) => Err(Fault::ConnectTimeout { server: server(), after: limit }),
        }
    }

    async fn connect(&self, member: &Member, client: IpAddr) -> io::Result<Session> {
        let tls = self.tls.as_ref().zip(member.tls_name.as_ref());
        let introduce = self.config.proxy_protocol.map(|version| Introduction { version, client });
        let stream = connect::connect(&member.peer, tls, introduce).await?;
        Ok(match self.config.protocol {
            Protocol::Http | Protocol::Https => Session::Http1(Http1::new(Box::new(stream))),
            Protocol::H2c => {
                let sender = http2::begin(stream).await?;
                Session::Http2(Box::new(http2::Stream::new(sender)))
            }
        })
    }

    fn connection(&self, chosen: pick::Chosen, session: Session, reused: bool) -> Connection {
        let pick::Chosen { member, slot } = chosen;
        let for_one_client = self.config.proxy_protocol.is_some();
        Connection { session, member, reused, for_one_client, _slot: slot }
    }

    /// Gives the client the cookie of the server that has answered, where it has another or none.
    pub(crate) fn stick(&self, connection: &Connection, asked: &Fields, answer: &mut Fields) {
        let (Balance::Sticky(name), Some(token)) = (&self.config.balance, &connection.member.token)
        else {
            return;
        };
        if sticky::cookie(asked, name) != Some(token.as_bytes()) {
            sticky::set_cookie(name, token, answer);
        }
    }
}

impl Connection {
    /// What logs call the server.
    pub(crate) fn server(&self) -> Arc<str> {
        self.member.label.clone()
    }

    /// Lets other requests use the connection at the same time, where its protocol can do that.
    pub(crate) fn share(&self, pool: &Pool) {
        if let Session::Http2(stream) = &self.session
            && !self.reused
            && !self.for_one_client
        {
            pool.put_shared(&self.member, stream.sender(), Instant::now());
        }
    }

    /// Gives the connection back, where it was the request's alone and what was said on it allows
    /// another.
    pub(crate) fn release(self, pool: &Pool) {
        if let Session::Http1(session) = self.session
            && !self.for_one_client
            && let Some(stream) = session.into_idle()
        {
            pool.put(self.member, stream, Instant::now());
        }
    }
}
