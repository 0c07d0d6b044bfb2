//! Connections to upstreams that wait for the next request. One pool a worker: what a worker opened
//! it uses again, so nothing is contended for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::stream::GatheringStream;

/// Connections kept for one address, by one worker: as many as were in use at once, so that a busy
/// moment does not open and close one for each of its requests.
const KEPT: usize = 512;

/// How long a connection is kept unused. Common servers close theirs after 60 seconds or more
/// (uvicorn after 5, which [`GatheringStream::is_quiet`] sees).
const IDLE: Duration = Duration::from_secs(50);

/// The address of one server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    Ip(SocketAddr),
    Unix(PathBuf),
}

struct Kept {
    stream: Box<GatheringStream>,
    since: Instant,
}

/// What is kept for one address.
type ByPeer = (Peer, Vec<Kept>);

/// The pool: by upstream, then by the few addresses that its servers have.
#[derive(Default)]
pub(crate) struct Pool {
    kept: Mutex<HashMap<usize, Vec<ByPeer>>>,
}

impl Pool {
    /// Takes the connection that was used last, if one is alive.
    pub(crate) fn take(
        &self,
        upstream: usize,
        peer: &Peer,
        now: Instant,
    ) -> Option<Box<GatheringStream>> {
        let mut kept = self.kept.lock();
        let by_peer = kept.get_mut(&upstream)?;
        let (_, waiting) = by_peer.iter_mut().find(|(other, _)| other == peer)?;
        while let Some(mut candidate) = waiting.pop() {
            if now.duration_since(candidate.since) < IDLE && candidate.stream.is_quiet() {
                return Some(candidate.stream);
            }
        }
        None
    }

    /// Keeps a connection for later.
    pub(crate) fn put(
        &self,
        upstream: usize,
        peer: &Peer,
        stream: Box<GatheringStream>,
        now: Instant,
    ) {
        let mut kept = self.kept.lock();
        let by_peer = kept.entry(upstream).or_default();
        let kept = Kept { stream, since: now };
        match by_peer.iter_mut().find(|(other, _)| other == peer) {
            Some((_, waiting)) if waiting.len() < KEPT => waiting.push(kept),
            Some(_) => {}
            None => by_peer.push((peer.clone(), vec![kept])),
        }
    }

    /// Closes what has waited too long or has been closed from the other side.
    pub(crate) fn sweep(&self, now: Instant) {
        self.kept.lock().retain(|_, by_peer| {
            by_peer.retain_mut(|(_, waiting)| {
                waiting.retain_mut(|kept| {
                    now.duration_since(kept.since) < IDLE && kept.stream.is_quiet()
                });
                !waiting.is_empty()
            });
            !by_peer.is_empty()
        });
    }
}
