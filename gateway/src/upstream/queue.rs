//! Room at the servers: how many requests each may have at once, and where others wait meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use gateway_config::model::Queue;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::members::Member;

/// Counts one request at a member until it is dropped. Where others wait, it passes its place on.
#[derive(Debug)]
pub(crate) struct Slot {
    /// `None` once it has been left.
    member: Option<Arc<Member>>,
    room: Option<Arc<WaitingRoom>>,
}

impl Slot {
    /// The place of a request that the member has counted already.
    pub(super) fn new(member: Arc<Member>, room: Option<Arc<WaitingRoom>>) -> Self {
        Self { member: Some(member), room }
    }

    pub(super) fn member(&self) -> Option<&Arc<Member>> {
        self.member.as_ref()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(member) = self.member.take() else { return };
        let Some(room) = self.room.take() else { return member.leave() };
        let Some(member) = room.hand_over(member) else { return };
        member.leave();
        // Who has begun to wait since has looked for room before it was left, or finds it now.
        if room.is_occupied()
            && member.enter(room.most)
            && let Some(member) = room.hand_over(member)
        {
            member.leave();
        }
    }
}

/// Where requests wait for a slot, the first to come being the first to get one.
#[derive(Debug)]
pub(super) struct WaitingRoom {
    queue: Queue,
    /// How many requests each member may have.
    most: Option<u32>,
    waiting: AtomicUsize,
    line: Mutex<VecDeque<oneshot::Sender<Slot>>>,
}

/// Counted as waiting until dropped.
struct Place<'r>(&'r WaitingRoom);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
    }
}

impl WaitingRoom {
    pub(super) fn new(queue: Queue, most: Option<u32>) -> Self {
        Self { queue, most, waiting: AtomicUsize::new(0), line: Mutex::default() }
    }

    fn is_occupied(&self) -> bool {
        self.waiting.load(SeqCst) > 0
    }

    /// Gives a member's place to whoever waits longest; back where nobody does.
    fn hand_over(self: &Arc<Self>, member: Arc<Member>) -> Option<Arc<Member>> {
        if !self.is_occupied() {
            return Some(member);
        }
        let mut slot = Slot::new(member, Some(self.clone()));
        loop {
            let Some(next) = self.line.lock().pop_front() else { return slot.member.take() };
            match next.send(slot) {
                Ok(()) => return None,
                // It has given up.
                Err(returned) => slot = returned,
            }
        }
    }

    /// Waits for a slot. `try_again` looks for one once more, now that whoever leaves one would see
    /// somebody waiting. `None`: too many wait, or it took too long.
    pub(super) async fn wait<T>(
        &self,
        try_again: impl FnOnce() -> Option<T>,
        waited: impl FnOnce(Slot) -> T,
    ) -> Option<T> {
        let deadline = Instant::now() + self.queue.wait;
        let most = usize::try_from(self.queue.max.get()).unwrap_or(usize::MAX);
        let room = |count: usize| (count < most).then_some(count + 1);
        self.waiting.fetch_update(SeqCst, SeqCst, room).ok()?;
        let _place = Place(self);
        let (sender, receiver) = oneshot::channel();
        {
            let mut line = self.line.lock();
            while line.front().is_some_and(oneshot::Sender::is_closed) {
                line.pop_front();
            }
            line.push_back(sender);
        }
        if let Some(found) = try_again() {
            return Some(found);
        }
        let slot = tokio::time::timeout_at(deadline, receiver).await.ok()?.ok()?;
        Some(waited(slot))
    }

    /// When it is worth asking again, in seconds.
    pub(super) fn retry_after(&self) -> u64 {
        self.queue.wait.as_secs().max(1)
    }
}
