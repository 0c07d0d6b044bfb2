//! Connections to upstreams that wait for the next request. One pool a worker: what a worker opened
//! it uses again, so nothing is contended for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pingora_core::protocols::Stream;

use crate::stream::{GatheringStream, Meter, is_quiet};

/// Connections kept for one address, by one worker.
const KEPT: usize = 64;

/// How long a connection is kept unused. Common servers close theirs after 60 seconds or more
/// (uvicorn after 5, which [`is_quiet`] sees).
const IDLE: Duration = Duration::from_secs(50);

/// The address of one server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    Ip(SocketAddr),
    Unix(PathBuf),
}

struct Kept {
    stream: Stream,
    since: Instant,
}

/// The pool.
#[derive(Default)]
pub(crate) struct Pool {
    kept: Mutex<HashMap<(usize, Peer), Vec<Kept>>>,
}

impl Pool {
    /// Takes the connection that was used last, if one is alive.
    pub(crate) fn take(
        &self,
        upstream: usize,
        peer: &Peer,
        now: Instant,
    ) -> Option<(Stream, Peer)> {
        let mut kept = self.kept.lock();
        let waiting = kept.get_mut(&(upstream, peer.clone()))?;
        while let Some(mut candidate) = waiting.pop() {
            if now.duration_since(candidate.since) < IDLE && is_quiet(&mut candidate.stream) {
                return Some((candidate.stream, peer.clone()));
            }
        }
        None
    }

    /// Keeps a connection for later.
    pub(crate) fn put(&self, upstream: usize, peer: Peer, stream: Stream, now: Instant) {
        let mut kept = self.kept.lock();
        let waiting = kept.entry((upstream, peer)).or_default();
        if waiting.len() < KEPT {
            waiting.push(Kept { stream, since: now });
        }
    }

    /// Closes what has waited too long or has been closed from the other side.
    pub(crate) fn sweep(&self, now: Instant) {
        self.kept.lock().retain(|_, waiting| {
            waiting.retain_mut(|kept| {
                now.duration_since(kept.since) < IDLE && is_quiet(&mut kept.stream)
            });
            !waiting.is_empty()
        });
    }
}

/// The meter of a stream that this crate made.
pub(super) fn meter_of(stream: &Stream) -> Arc<Meter> {
    stream
        .as_any()
        .downcast_ref::<GatheringStream>()
        .map_or_else(Arc::default, GatheringStream::meter)
}
