//! Connections to upstreams that wait for the next request. One pool a worker: what a worker opened
//! it uses again, so nothing is contended for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::http2;
use super::members::Member;
use crate::stream::GatheringStream;

/// Connections kept for one address, by one worker: as many as were in use at once, so that a busy
/// moment does not open and close one for each of its requests.
const KEPT: usize = 512;

/// How long a connection is kept unused. Common servers close theirs after 60 seconds or more
/// (uvicorn after 5, which [`GatheringStream::is_quiet`] sees).
const IDLE: Duration = Duration::from_secs(50);

/// A connection that one request uses at a time. It brings the reference to its server along: a count of
/// references is one place for all workers, and one that every request counted in would be fought for.
struct Kept {
    member: Arc<Member>,
    stream: Box<GatheringStream>,
    since: Instant,
}

/// A connection that many requests use at once.
struct Shared {
    member: Arc<Member>,
    sender: http2::Sender,
    last_used: Instant,
}

/// The pool, by [`Member::id`]. A member belongs to one upstream, so a connection that was made for one
/// upstream's rules (TLS, its roots) is not handed to another at the same address.
#[derive(Default)]
pub(crate) struct Pool {
    kept: Mutex<HashMap<u64, Vec<Kept>>>,
    /// One for each address of an upstream that speaks HTTP/2; there are few.
    shared: Mutex<Vec<Shared>>,
}

impl Pool {
    /// Takes the connection to a member that was used last, if one is alive.
    pub(super) fn take(
        &self,
        member: u64,
        now: Instant,
    ) -> Option<(Arc<Member>, Box<GatheringStream>)> {
        let mut kept = self.kept.lock();
        let waiting = kept.get_mut(&member)?;
        while let Some(mut candidate) = waiting.pop() {
            if now.duration_since(candidate.since) < IDLE && candidate.stream.is_quiet() {
                return Some((candidate.member, candidate.stream));
            }
        }
        None
    }

    /// Keeps a connection for later.
    pub(super) fn put(&self, member: Arc<Member>, stream: Box<GatheringStream>, now: Instant) {
        let mut kept = self.kept.lock();
        let waiting = kept.entry(member.id).or_default();
        if waiting.len() < KEPT {
            waiting.push(Kept { member, stream, since: now });
        }
    }

    /// The connection to a member that requests share, if one is alive.
    pub(super) fn share(&self, member: u64, now: Instant) -> Option<(Arc<Member>, http2::Sender)> {
        let mut shared = self.shared.lock();
        shared.retain_mut(|other| http2::is_alive(&mut other.sender));
        let found = shared.iter_mut().find(|shared| shared.member.id == member)?;
        found.last_used = now;
        Some((found.member.clone(), found.sender.clone()))
    }

    /// Lets requests share a connection. Where they share one already, this one lasts as long as the
    /// request that it was made for.
    pub(super) fn put_shared(&self, member: &Arc<Member>, sender: http2::Sender, now: Instant) {
        let mut shared = self.shared.lock();
        if !shared.iter().any(|shared| shared.member.id == member.id) {
            shared.push(Shared { member: member.clone(), sender, last_used: now });
        }
    }

    /// Closes whatever is waiting.
    pub(crate) fn empty(&self) {
        self.kept.lock().clear();
    }

    /// Closes what has waited too long or has been closed from the other side.
    pub(crate) fn sweep(&self, now: Instant) {
        // Requests that are going on keep their connection all the same.
        self.shared.lock().retain_mut(|shared| {
            now.duration_since(shared.last_used) < IDLE && http2::is_alive(&mut shared.sender)
        });
        self.kept.lock().retain(|_, waiting| {
            waiting
                .retain_mut(|kept| now.duration_since(kept.since) < IDLE && kept.stream.is_quiet());
            !waiting.is_empty()
        });
    }
}
