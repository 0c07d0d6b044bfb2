//! Connections to upstreams that wait for the next request. One pool a worker: what a worker opened
//! it uses again, so nothing is contended for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::http2;
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

/// A connection that many requests use at once.
struct Shared {
    upstream: usize,
    peer: Peer,
    sender: http2::Sender,
    last_used: Instant,
}

impl Shared {
    fn is_to(&self, upstream: usize, peer: &Peer) -> bool {
        self.upstream == upstream && self.peer == *peer
    }
}

/// The pool: by upstream, then by the few addresses that its servers have.
#[derive(Default)]
pub(crate) struct Pool {
    kept: Mutex<HashMap<usize, Vec<ByPeer>>>,
    /// One for each address of an upstream that speaks HTTP/2; there are few.
    shared: Mutex<Vec<Shared>>,
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

    /// The connection to an address that requests share, if one is alive.
    pub(crate) fn share(
        &self,
        upstream: usize,
        peer: &Peer,
        now: Instant,
    ) -> Option<http2::Sender> {
        let mut shared = self.shared.lock();
        shared.retain_mut(|other| http2::is_alive(&mut other.sender));
        let found = shared.iter_mut().find(|shared| shared.is_to(upstream, peer))?;
        found.last_used = now;
        Some(found.sender.clone())
    }

    /// Lets requests share a connection. Where they share one already, this one lasts as long as the
    /// request that it was made for.
    pub(crate) fn put_shared(
        &self,
        upstream: usize,
        peer: &Peer,
        sender: http2::Sender,
        now: Instant,
    ) {
        let mut shared = self.shared.lock();
        if !shared.iter().any(|shared| shared.is_to(upstream, peer)) {
            shared.push(Shared { upstream, peer: peer.clone(), sender, last_used: now });
        }
    }

    /// Closes what has waited too long or has been closed from the other side.
    pub(crate) fn sweep(&self, now: Instant) {
        // Requests that are going on keep their connection all the same.
        self.shared.lock().retain_mut(|shared| {
            now.duration_since(shared.last_used) < IDLE && http2::is_alive(&mut shared.sender)
        });
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
