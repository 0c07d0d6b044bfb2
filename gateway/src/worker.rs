//! What a worker has: its own, and what it shares with the others.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use arc_swap::ArcSwap;
use gateway_acme::Responder;

use crate::accept::Census;
use crate::access_log::AccessLog;
use crate::metrics::Metrics;
use crate::reload::Requests;
use crate::snapshot::Snapshot;
use crate::stop::{Stage, Stop};
use crate::upstream::Pool;

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// Its [`Snapshot::serial`], which costs less to look at.
    pub(crate) serial: AtomicU64,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) access_log: AccessLog,
    pub(crate) census: Arc<Census>,
    pub(crate) stop: Stop,
    /// What CAs are shown that come to look.
    pub(crate) responder: Arc<Responder>,
    /// How many workers there are, and how many of them accept connections.
    pub(crate) workers: usize,
    pub(crate) listening: AtomicUsize,
    /// Where somebody asks for a reload.
    pub(crate) reloads: Requests,
}

impl Shared {
    /// Serves this from the next request on.
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        let serial = snapshot.serial;
        self.snapshot.store(Arc::new(snapshot));
        // Whoever sees this finds that one.
        self.serial.store(serial, Release);
    }

    /// Whether nothing has been published since.
    pub(crate) fn is_current(&self, snapshot: &Snapshot) -> bool {
        self.serial.load(Acquire) == snapshot.serial
    }

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
