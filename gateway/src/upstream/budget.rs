//! How many requests may be tried once more, so that an upstream in trouble is not asked several
//! times for everything: a fifth of its requests, or a few each second where it has few.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::shard::Shards;

/// One retry for so many requests.
const REQUESTS: usize = 5;

/// Milliseconds of a window, and what it allows whatever was asked: ten a second.
const WINDOW: u64 = 10_000;
const FLOOR: usize = 100;

/// The budget of one upstream. Every request counts; only who retries looks at it.
#[derive(Debug)]
pub(super) struct Budget {
    /// How many there have ever been.
    requests: Shards<AtomicUsize>,
    windows: Mutex<Windows>,
}

/// This window and the one before it, so that a new one does not begin poor.
#[derive(Debug, Default, Clone, Copy)]
struct Windows {
    since: u64,
    /// The upstream's requests when this window began, and the one before it.
    requests: usize,
    requests_before: usize,
    retries: usize,
    retries_before: usize,
}

impl Budget {
    pub(super) fn new(workers: usize) -> Self {
        Self { requests: Shards::new(workers), windows: Mutex::default() }
    }

    /// Counts one request.
    pub(super) fn request(&self) {
        self.requests.mine().fetch_add(1, Relaxed);
    }

    /// Takes one retry; `false` where there is none left.
    pub(super) fn take(&self, now: u64) -> bool {
        let counts = self.requests.iter().map(|shard| shard.load(Relaxed));
        let requests = counts.fold(0, usize::wrapping_add);
        let mut windows = self.windows.lock();
        windows.advance(requests, now);
        let asked = requests.wrapping_sub(windows.requests_before);
        let allowed = windows.retries + windows.retries_before < FLOOR + asked / REQUESTS;
        windows.retries += usize::from(allowed);
        allowed
    }
}

impl Windows {
    fn advance(&mut self, requests: usize, now: u64) {
        let age = now.saturating_sub(self.since);
        if age < WINDOW {
            return;
        }
        let recent = age < 2 * WINDOW;
        *self = Self {
            since: now,
            requests,
            requests_before: if recent { self.requests } else { requests },
            retries: 0,
            retries_before: if recent { self.retries } else { 0 },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_upstream_may_retry_a_few_and_a_busy_one_a_fifth() {
        let taken = |budget: &Budget, now| (0..100_000).take_while(|_| budget.take(now)).count();
        let asked = |budget: &Budget, requests| (0..requests).for_each(|_| budget.request());
        let quiet = Budget::new(2);
        asked(&quiet, 10);
        assert_eq!(taken(&quiet, 20_000), FLOOR);
        asked(&quiet, 10);
        assert_eq!(taken(&quiet, 25_000), 2, "ten more requests");
        assert_eq!(taken(&quiet, 60_000), FLOOR, "what was long ago is forgotten");
        let busy = Budget::new(2);
        assert!(busy.take(20_000));
        asked(&busy, 10_000);
        assert_eq!(taken(&busy, 29_000), FLOOR - 1 + 2_000);
        asked(&busy, 10_000);
        assert_eq!(taken(&busy, 31_000), 2_000, "the last window counts");
    }
}
