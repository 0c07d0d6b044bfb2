//! How one address of a server stands: whether requests succeed on it, and what its health checks
//! say. Everything is atomic, and time is an argument: milliseconds of [`now`].

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gateway_config::model::{Fail, Health};

/// The least share of its requests that an address has which has just come back.
const LEAST_SHARE: f32 = 0.1;

/// Milliseconds since the first call, which fit into an atomic; never 0, which says "not".
pub(super) fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    millis(START.get_or_init(Instant::now).elapsed()) + 1
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What has changed for whoever picks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is left out from now on.
    Out,
    /// It is asked again.
    Back,
}

const UNCHECKED: u8 = 0;
const HEALTHY: u8 = 1;
const UNHEALTHY: u8 = 2;

/// The state of one address.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Failed requests in a row, and when the first of them was.
    failures: AtomicU32,
    first_failure: AtomicU64,
    /// Until when it is left out for them; 0: it is not.
    out_until: AtomicU64,
    /// What the checks say.
    checked: AtomicU8,
    /// Checks in a row that say something else.
    contrary: AtomicU32,
    /// Since when it is asked again, or at all where others were there before; 0: since ever.
    back_since: AtomicU64,
}

impl Standing {
    /// That of an address which comes to others.
    pub(super) fn newcomer(now: u64) -> Self {
        Self { back_since: AtomicU64::new(now), ..Self::default() }
    }

    /// Whether it is asked like any other.
    pub(super) fn is_in(&self) -> bool {
        self.out_until.load(Relaxed) == 0 && self.is_healthy()
    }

    fn is_healthy(&self) -> bool {
        self.checked.load(Relaxed) != UNHEALTHY
    }

    /// Whether one request is to try it, because the time is over for which it was left out. Says so
    /// to one request only; the others see it left out for as long again.
    pub(super) fn take_trial(&self, fail: Fail, now: u64) -> bool {
        let until = self.out_until.load(Relaxed);
        let due = until != 0 && until <= now && self.is_healthy();
        let next = now + millis(fail.within);
        due && self.out_until.compare_exchange(until, next, Relaxed, Relaxed).is_ok()
    }

    /// Whether no request has failed since the last one that was answered.
    pub(super) fn is_untroubled(&self) -> bool {
        self.failures.load(Relaxed) == 0 && self.out_until.load(Relaxed) == 0
    }

    /// A request was answered: the failed ones before it are forgotten.
    pub(super) fn succeeded(&self, now: u64) -> Option<Change> {
        self.failures.store(0, Relaxed);
        let was_out = self.out_until.swap(0, Relaxed) != 0;
        (was_out && self.is_healthy()).then(|| self.is_back(now))
    }

    fn is_back(&self, now: u64) -> Change {
        self.back_since.store(now, Relaxed);
        Change::Back
    }

    /// A request failed.
    pub(super) fn failed(&self, fail: Fail, now: u64) -> Option<Change> {
        let within = millis(fail.within);
        let begins_anew = self.failures.load(Relaxed) == 0
            || now.saturating_sub(self.first_failure.load(Relaxed)) > within;
        if begins_anew {
            self.first_failure.store(now, Relaxed);
            self.failures.store(0, Relaxed);
        }
        let failures = self.failures.fetch_add(1, Relaxed) + 1;
        if failures < fail.max.get() {
            return None;
        }
        // Of several requests that fail at the same time, one says so.
        let left_out = self.out_until.compare_exchange(0, now + within, Relaxed, Relaxed);
        (left_out.is_ok() && self.is_healthy()).then_some(Change::Out)
    }

    /// A health check has ended. Checks of one address come one after the other.
    pub(super) fn checked(&self, passed: bool, health: &Health, now: u64) -> Option<Change> {
        let says = if passed { HEALTHY } else { UNHEALTHY };
        let known = self.checked.load(Relaxed);
        let left_out = self.out_until.load(Relaxed) != 0;
        // A server that requests fail on is asked again after as many good checks as any other.
        if says == known && !(passed && left_out) {
            self.contrary.store(0, Relaxed);
            return None;
        }
        let contrary = self.contrary.load(Relaxed) + 1;
        let enough = if passed { health.healthy_after } else { health.unhealthy_after };
        if known != UNCHECKED && contrary < enough.get() {
            self.contrary.store(contrary, Relaxed);
            return None;
        }
        self.contrary.store(0, Relaxed);
        let was_in = self.is_in();
        self.checked.store(says, Relaxed);
        match (was_in, passed) {
            (true, false) => Some(Change::Out),
            (false, true) => {
                self.failures.store(0, Relaxed);
                self.out_until.store(0, Relaxed);
                Some(self.is_back(now))
            }
            _ => None,
        }
    }

    /// The part of its share of requests that it gets, up to 1.
    pub(super) fn share(&self, slow_start: Duration, now: u64) -> f32 {
        let since = self.back_since.load(Relaxed);
        if since == 0 {
            return 1.0;
        }
        let back = Duration::from_millis(now.saturating_sub(since));
        (back.as_secs_f32() / slow_start.as_secs_f32()).clamp(LEAST_SHARE, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_config::model::HealthCheck;
    use std::num::NonZeroU32;

    fn fail() -> Fail {
        Fail { max: NonZeroU32::new(3).unwrap(), within: Duration::from_secs(30) }
    }

    fn health() -> Health {
        Health {
            check: HealthCheck::Tcp,
            every: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            unhealthy_after: NonZeroU32::new(3).unwrap(),
            healthy_after: NonZeroU32::new(2).unwrap(),
        }
    }

    #[test]
    fn failures_in_a_row_and_in_time_leave_it_out() {
        let standing = Standing::default();
        assert_eq!(standing.failed(fail(), 1), None);
        assert_eq!(standing.failed(fail(), 2), None);
        assert_eq!(standing.succeeded(3), None, "it was never out");
        for at in [4, 5] {
            assert_eq!(standing.failed(fail(), at), None, "a success begins the row anew");
        }
        assert_eq!(standing.failed(fail(), 40_000), None, "the first ones are too long ago");
        assert_eq!(standing.failed(fail(), 40_001), None);
        assert!(standing.is_in());
        assert_eq!(standing.failed(fail(), 40_002), Some(Change::Out));
        assert_eq!(standing.failed(fail(), 40_003), None, "said once");
        assert!(!standing.is_in());
    }

    #[test]
    fn one_request_tries_it_and_a_success_brings_it_back() {
        let standing = Standing::default();
        for at in 1..=3 {
            standing.failed(fail(), at);
        }
        assert!(!standing.take_trial(fail(), 30_002), "too early");
        assert!(standing.take_trial(fail(), 30_003));
        assert!(!standing.take_trial(fail(), 30_004), "one is enough");
        assert_eq!(standing.failed(fail(), 30_010), None, "it was out already");
        assert!(!standing.take_trial(fail(), 60_002));
        assert!(standing.take_trial(fail(), 60_003));
        assert_eq!(standing.succeeded(60_100), Some(Change::Back));
        assert!(standing.is_in());
        assert_eq!(standing.succeeded(60_101), None);
    }

    #[test]
    fn the_first_check_decides_and_later_ones_by_number() {
        let standing = Standing::default();
        assert_eq!(standing.checked(false, &health(), 1), Some(Change::Out));
        assert_eq!(standing.checked(true, &health(), 2), None);
        assert_eq!(standing.checked(false, &health(), 3), None, "the row is broken");
        assert_eq!(standing.checked(true, &health(), 4), None);
        assert_eq!(standing.checked(true, &health(), 5), Some(Change::Back));
        for at in [6, 7] {
            assert_eq!(standing.checked(false, &health(), at), None);
        }
        assert_eq!(standing.checked(false, &health(), 8), Some(Change::Out));
        let fresh = Standing::default();
        assert_eq!(fresh.checked(true, &health(), 1), None, "it was in already");
        assert!(fresh.is_in());
    }

    #[test]
    fn good_checks_end_what_failed_requests_began_and_bad_ones_outlast_successes() {
        let standing = Standing::default();
        standing.checked(true, &health(), 1);
        for at in 2..=4 {
            standing.failed(fail(), at);
        }
        assert!(!standing.is_in());
        assert_eq!(standing.checked(true, &health(), 5), None);
        assert_eq!(standing.checked(true, &health(), 6), Some(Change::Back));
        for at in 7..=9 {
            standing.checked(false, &health(), at);
        }
        assert_eq!(standing.succeeded(10), None);
        assert!(!standing.is_in(), "a request on its way does not outweigh the checks");
        assert!(!standing.take_trial(fail(), 100_000));
    }

    #[test]
    fn its_share_grows_from_a_tenth_to_all() {
        let slow = Duration::from_secs(10);
        assert!((Standing::default().share(slow, 1) - 1.0).abs() < f32::EPSILON);
        let back = Standing::newcomer(1_000);
        for (at, share) in [(1_000, 0.1), (1_500, 0.1), (6_000, 0.5), (11_000, 1.0), (99_000, 1.0)]
        {
            assert!((back.share(slow, at) - share).abs() < 0.001, "at {at}");
        }
    }
}
