//! What a worker has: its own, and what it shares with the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use arc_swap::ArcSwap;
use gateway_acme::Responder;

use crate::accept::Census;
use crate::access_log::AccessLog;
use crate::metrics::Metrics;
use crate::snapshot::Snapshot;
use crate::stop::{Stage, Stop};
use crate::upstream::Pool;

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) access_log: AccessLog,
    pub(crate) census: Arc<Census>,
    pub(crate) stop: Stop,
    /// What CAs are shown that come to look.
    pub(crate) responder: Arc<Responder>,
    /// The port of the first TLS listener, for redirects from the plain one.
    pub(crate) https_port: Option<u16>,
    /// How many workers there are, and how many of them accept connections.
    pub(crate) workers: usize,
    pub(crate) listening: AtomicUsize,
}

impl Shared {
    /// What keeps the gateway from being ready, one sentence each.
    pub(crate) fn missing(&self) -> Vec<String> {
        let listening = self.listening.load(Relaxed);
        if self.stop.stage() > Stage::Running {
            vec!["The gateway is stopping.".to_owned()]
        } else if listening < self.workers {
            vec![format!("{listening} of {} workers accept connections.", self.workers)]
        } else {
            Vec::new()
        }
    }
}

impl Shared {
    /// What is not as it should be and keeps nobody from being served, one sentence each.
    pub(crate) fn lacking(&self) -> Vec<String> {
        let snapshot = self.snapshot.load();
        let waiting = snapshot.certificates.live.iter().filter(|(_, slot)| slot.wants_better());
        waiting
            .map(|(hosts, _)| {
                format!(
                    "{hosts}: served with a certificate of the local CA until the real one comes."
                )
            })
            .collect()
    }
}

/// One worker: a thread with a runtime of its own, and what nobody else touches.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pool: Pool,
}
