//! Limits of requests at one time.
//!
//! There is an entry for each key that has a request under way, and none for any other: what an
//! attacker can make of them is bounded by the connections and streams that it may have open.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;

use parking_lot::Mutex;

use super::key::ClientKey;

/// Workers that count at the same time seldom want the same shard.
const SHARDS: usize = 64;

/// A shard that is empty gives back the room for more keys than these.
const KEPT: usize = 64;

/// Counts the requests that are being served, by their keys.
pub(super) struct Concurrency {
    most: u32,
    shards: Box<[Mutex<HashMap<ClientKey, u32>>]>,
    hasher: RandomState,
}

/// A request's place among those that are being served. Dropping it frees the place.
pub(crate) struct Place<'l> {
    of: &'l Concurrency,
    key: ClientKey,
    /// Whether an open WebSocket keeps it.
    pub(crate) outlives_opening: bool,
}

impl Concurrency {
    pub(super) fn new(most: NonZeroU32) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { most: most.get(), shards, hasher: RandomState::new() }
    }

    /// Takes a place, where there is one left for this key.
    pub(super) fn enter(&self, key: ClientKey, outlives_opening: bool) -> Option<Place<'_>> {
        let mut shard = self.shard(key).lock();
        let count = shard.entry(key).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { of: self, key, outlives_opening })
    }

    fn leave(&self, key: ClientKey) {
        let mut shard = self.shard(key).lock();
        if let Entry::Occupied(mut count) = shard.entry(key) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        if shard.is_empty() && shard.capacity() > KEPT {
            *shard = HashMap::new();
        }
    }

    fn shard(&self, key: ClientKey) -> &Mutex<HashMap<ClientKey, u32>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    #[cfg(test)]
    fn entries(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.of.leave(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn client(number: u32) -> ClientKey {
        ClientKey::of(Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn so_many_at_once_and_each_place_is_given_back() {
        let concurrency = Concurrency::new(NonZeroU32::new(2).unwrap());
        let first = concurrency.enter(client(1), false);
        let second = concurrency.enter(client(1), false);
        assert!(first.is_some() && second.is_some());
        assert!(concurrency.enter(client(1), false).is_none());
        assert!(concurrency.enter(client(2), false).is_some(), "another client has its own");
        drop(first);
        let third = concurrency.enter(client(1), false);
        assert!(third.is_some());
        drop((second, third));
        assert_eq!(concurrency.entries(), 0);
    }

    #[test]
    fn a_million_clients_that_came_and_went_leave_nothing() {
        let concurrency = Concurrency::new(NonZeroU32::MIN);
        for round in 0..10 {
            let open: Vec<_> = (0..100_000)
                .map(|n| concurrency.enter(client(round * 100_000 + n), false))
                .collect();
            assert_eq!(concurrency.entries(), 100_000);
            drop(open);
            assert_eq!(concurrency.entries(), 0);
            let room: usize = concurrency.shards.iter().map(|shard| shard.lock().capacity()).sum();
            assert!(room <= SHARDS * KEPT, "room for {room} is left");
        }
    }

    #[test]
    fn threads_never_hold_more_places_than_there_are() {
        use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
        let concurrency = Concurrency::new(NonZeroU32::new(3).unwrap());
        let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let Some(place) = concurrency.enter(client(7), false) else { continue };
                        most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                        inside.fetch_sub(1, SeqCst);
                        drop(place);
                    }
                });
            }
        });
        assert!((1..=3).contains(&most.load(SeqCst)), "{most:?} at once");
        assert_eq!(concurrency.entries(), 0);
    }
}
