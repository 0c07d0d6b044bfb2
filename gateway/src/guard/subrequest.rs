//! A request of the gateway's own to an upstream, made like any other, with the answer kept here.

use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use crate::client::Client;
use crate::downstream::{ClientError, Downstream, Framing, Piece};
use crate::exchange::{Account, Exchange};
use crate::fault::Fault;
use crate::head::{Fields, RequestHead, ResponseHead};
use crate::headers::request::Forwarding;
use crate::headers::response::Rules;
use crate::headers::trace::Trace;
use crate::patience::Patience;
use crate::policy::body::BodyGauge;
use crate::tunnel::Side;
use crate::upstream::Upstream;
use crate::worker::Worker;

/// The largest answer, in bytes: a page for people to log in, or an issuer's keys.
const LARGEST: usize = 1 << 20;

/// A request without a body.
pub(crate) struct Subrequest<'s> {
    pub(crate) worker: &'s Worker,
    pub(crate) upstream: &'s Upstream,
    pub(crate) head: &'s RequestHead,
    /// Fields that only the gateway may say.
    pub(crate) added: &'s Fields,
    pub(crate) client: Client,
    pub(crate) peer: &'s str,
    pub(crate) authority: &'s str,
    pub(crate) trace: &'s Trace,
    /// Path and query.
    pub(crate) target: &'s str,
    /// How long the whole may take.
    pub(crate) limit: Duration,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) head: ResponseHead,
    pub(crate) body: Vec<u8>,
}

impl Subrequest<'_> {
    /// Asks.
    ///
    /// # Errors
    /// A sentence for the log. It quotes nothing that came over the wire.
    pub(crate) async fn ask(&self) -> Result<Collected, String> {
        let now = Instant::now();
        let gauge = BodyGauge::start(0, None, now).map_err(|fault| fault.chain())?;
        let rules = Rules::default();
        let mut exchange = Exchange {
            upstream: self.upstream,
            pool: &self.worker.pool,
            asked: self.head,
            forwarding: Forwarding {
                client: self.client,
                peer: self.peer,
                authority: self.authority,
                trace: self.trace,
                target: self.target,
                body: Framing::Empty,
                upgrade: None,
                forwarded: false,
                added: Some(self.added),
            },
            gauge,
            idle: Some(self.limit),
            rules: &rules,
            stop: &self.worker.shared.stop,
            allowances: &[],
            pace: None,
            kept_body: None,
            errors: &crate::reply::PLAIN,
        };
        let mut collector = Collector::new(now, self.limit);
        let mut account = Account::default();
        let asked = exchange.run(&mut collector, &mut account);
        match tokio::time::timeout(self.limit, asked).await {
            Err(_elapsed) => Err(format!("it took longer than {:?}", self.limit)),
            Ok(Err(Fault::ClientGone(ClientError::Malformed(why)))) => Err(why.into()),
            Ok(Err(fault)) => Err(fault.chain()),
            Ok(Ok(_)) => collector.collected(),
        }
    }
}

/// Takes an answer as a client would.
struct Collector {
    head: Option<ResponseHead>,
    body: Vec<u8>,
    ended: bool,
    patience: Patience,
}

impl Collector {
    fn new(now: Instant, limit: Duration) -> Self {
        let patience = Patience::new(now, limit);
        Self { head: None, body: Vec::new(), ended: false, patience }
    }

    fn collected(self) -> Result<Collected, String> {
        match self.head {
            Some(head) if self.ended && head.status != StatusCode::SWITCHING_PROTOCOLS => {
                Ok(Collected { head, body: self.body })
            }
            _ => Err("its answer is not whole".into()),
        }
    }
}

impl Downstream for Collector {
    fn framing(&self) -> Framing {
        Framing::Empty
    }

    fn poll_body(&mut self, _cx: &mut Context<'_>) -> Poll<Result<Piece, ClientError>> {
        // This client never goes away.
        Poll::Pending
    }

    fn send_informational(&mut self, _head: &ResponseHead) {}

    fn send_head(&mut self, head: &ResponseHead, ended: bool) {
        self.head = Some(head.clone());
        self.ended = ended;
    }

    fn has_begun(&self) -> bool {
        self.head.is_some()
    }

    fn poll_send(
        &mut self,
        _cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, ClientError>> {
        if self.body.len() + data.len() > LARGEST {
            return Poll::Ready(Err(ClientError::Malformed("its answer is larger than 1 MiB")));
        }
        self.body.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn end(&mut self, _trailers: Option<&Fields>) {
        self.ended = true;
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        Poll::Ready(Ok(()))
    }

    fn close_after(&mut self) {}

    fn into_tunnel(self) -> Option<Side> {
        None
    }

    fn patience(&mut self) -> &mut Patience {
        &mut self.patience
    }

    fn received(&self) -> u64 {
        0
    }

    fn sent(&self) -> u64 {
        self.body.len() as u64
    }
}
