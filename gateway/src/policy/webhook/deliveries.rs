//! Deliveries that were here before.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Deliveries that are remembered, of all routes together; past it the oldest is forgotten. Nobody
/// without a secret can put one here.
const REMEMBERED: usize = 65_536;

/// What tells one delivery from another.
pub(crate) type Key = [u8; 32];

/// Every delivery that was answered, or is being answered. It outlives configurations, not the process.
#[derive(Default)]
pub(crate) struct Deliveries {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    known: HashMap<Key, Known>,
    /// In the order in which they came; some have been forgotten since.
    order: VecDeque<(Key, u64)>,
    next: u64,
}

struct Known {
    number: u64,
    until: Instant,
}

/// A delivery on its way. Unless it is [kept](Self::keep) it may come again: GitHub redelivers what
/// was not answered well.
pub(crate) struct Delivery {
    deliveries: Arc<Deliveries>,
    key: Key,
    kept: bool,
}

impl Deliveries {
    /// Takes a delivery in. `None`: it was here before, at most `remember` ago, or is here now.
    pub(crate) fn enter(
        self: &Arc<Self>,
        key: Key,
        remember: Duration,
        now: Instant,
    ) -> Option<Delivery> {
        let mut table = self.table.lock();
        if table.known.get(&key).is_some_and(|known| known.until > now) {
            return None;
        }
        let number = table.next;
        table.next += 1;
        // A time that the clock cannot express never ends.
        let until = now.checked_add(remember).unwrap_or(now + Duration::from_secs(u32::MAX.into()));
        table.known.insert(key, Known { number, until });
        table.order.push_back((key, number));
        table.shrink(now);
        drop(table);
        Some(Delivery { deliveries: self.clone(), key, kept: false })
    }
}

impl Table {
    /// Forgets what has become too old, and the oldest while there are too many.
    fn shrink(&mut self, now: Instant) {
        while let Some((key, number)) = self.order.front().copied() {
            let known = self.known.get(&key).filter(|known| known.number == number);
            let stays = known.is_some_and(|known| known.until > now);
            if stays && self.order.len() <= REMEMBERED {
                return;
            }
            if known.is_some() {
                self.known.remove(&key);
            }
            self.order.pop_front();
        }
    }
}

impl Delivery {
    /// It went well, and is remembered.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.kept {
            self.deliveries.table.lock().known.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn key(number: usize) -> Key {
        let mut key = Key::default();
        key[..8].copy_from_slice(&number.to_be_bytes());
        key
    }

    #[test]
    fn a_delivery_that_went_well_does_not_come_again_until_it_is_forgotten() {
        let (deliveries, now) = (Arc::<Deliveries>::default(), Instant::now());
        let first = deliveries.enter(key(1), HOUR, now).unwrap();
        assert!(deliveries.enter(key(1), HOUR, now).is_none(), "while it is under way");
        first.keep();
        assert!(deliveries.enter(key(1), HOUR, now + HOUR / 2).is_none());
        assert!(deliveries.enter(key(2), HOUR, now).is_some());
        deliveries.enter(key(1), HOUR, now + HOUR).unwrap().keep();
        assert!(deliveries.enter(key(1), HOUR, now + HOUR * 3 / 2).is_none());
    }

    #[test]
    fn one_that_failed_may_come_again() {
        let (deliveries, now) = (Arc::<Deliveries>::default(), Instant::now());
        drop(deliveries.enter(key(1), HOUR, now).unwrap());
        deliveries.enter(key(1), HOUR, now).unwrap().keep();
        assert!(deliveries.enter(key(1), HOUR, now).is_none());
    }

    #[test]
    fn the_table_has_an_end_whatever_comes() {
        let (deliveries, now) = (Arc::<Deliveries>::default(), Instant::now());
        for number in 0..REMEMBERED + 10 {
            deliveries.enter(key(number), HOUR, now).unwrap().keep();
            drop(deliveries.enter(key(usize::MAX), HOUR, now).unwrap());
        }
        let table = deliveries.table.lock();
        assert!(table.known.len() <= REMEMBERED && table.order.len() <= REMEMBERED);
        drop(table);
        assert!(deliveries.enter(key(REMEMBERED + 9), HOUR, now).is_none(), "the last is known");
        assert!(deliveries.enter(key(0), HOUR, now).is_some(), "the first is forgotten");
    }
}
