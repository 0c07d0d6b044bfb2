//! Limits of requests in a time: the generic cell rate algorithm of governor over a table that cannot
//! grow.
//!
//! A table that grew with the number of keys would be a way to take the gateway's memory. This one has
//! a fixed number of places, in sets of eight; a key belongs to one set. Where the set is full, the
//! place whose allowance is nearest to being whole again is given away: losing it costs its client
//! nothing, or the least.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use gateway_config::model;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

use super::key::ClientKey;

/// How many keys one limit can tell apart: 8,192 sets of 8, 1.5 MiB when all are in use. A set
/// takes its room when the first key falls into it.
const SETS: usize = 8192;
const PLACES: usize = 8;

/// What a client is told about its limit (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance<'l> {
    told: &'l Told,
    pub(crate) remaining: u32,
    /// Until one more request is allowed than now, in seconds, rounded up.
    pub(crate) reset: u64,
}

/// The part of it that is the same for every client.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// An item of `RateLimit-Policy`.
    policy: String,
    /// The beginning of an item of `RateLimit`.
    name: String,
}

impl Told {
    fn new(name: &str, burst: NonZeroU32, window: Duration) -> Self {
        let seconds = round_up(window).max(1);
        Self { policy: format!("\"{name}\";q={burst};w={seconds}"), name: format!("\"{name}\";r=") }
    }
}

impl Allowance<'_> {
    /// An item of `RateLimit-Policy`: the limit, its burst, and in how many seconds that is whole
    /// again.
    pub(crate) fn write_policy(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.told.policy.as_bytes());
    }

    /// An item of `RateLimit`: the limit, what remains of it, and when there is more.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.told.name.as_bytes());
        out.extend_from_slice(itoa::Buffer::new().format(self.remaining).as_bytes());
        out.extend_from_slice(b";t=");
        out.extend_from_slice(itoa::Buffer::new().format(self.reset).as_bytes());
    }
}

/// A limit that a request is over.
#[derive(Debug)]
pub(crate) struct Exceeded {
    pub(crate) limit: String,
    told: Told,
    /// `Retry-After`, in seconds, at least 1.
    pub(crate) retry_after: u64,
}

impl Exceeded {
    /// What its client is told.
    pub(crate) fn allowance(&self) -> Allowance<'_> {
        Allowance { told: &self.told, remaining: 0, reset: self.retry_after }
    }

    #[cfg(test)]
    pub(crate) fn example() -> Self {
        let told = Told { policy: "\"api\";q=20;w=2".into(), name: "\"api\";r=".into() };
        Self { limit: "api".into(), told, retry_after: 1 }
    }
}

/// A rate and who has used how much of it. Generic over its clock, so that tests decide the time.
#[derive(Debug)]
pub(super) struct Rate<C: Clock = DefaultClock> {
    name: String,
    told: Told,
    /// Until one more request is allowed, in seconds, rounded up.
    reset: u64,
    governor: RateLimiter<ClientKey, Table, C, StateInformationMiddleware>,
    clock: C,
}

impl Rate {
    pub(super) fn new(name: &str, rate: model::Rate, burst: NonZeroU32) -> Self {
        Self::with_clock(name, rate, burst, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Rate<C> {
    fn with_clock(name: &str, rate: model::Rate, burst: NonZeroU32, clock: C) -> Self {
        // The division of a day by the largest count is still above one nanosecond.
        let cell = (rate.per / rate.count.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(cell)
            .unwrap_or_else(|| Quota::per_second(rate.count))
            .allow_burst(burst);
        Self {
            name: name.to_owned(),
            told: Told::new(name, burst, cell * burst.get()),
            reset: round_up(cell).max(1),
            governor: RateLimiter::<_, _, _, NoOpMiddleware<C::Instant>>::new(
                quota,
                Table::new(SETS),
                clock.clone(),
            )
            .with_middleware(),
            clock,
        }
    }

    /// Counts one request.
    pub(super) fn check(&self, key: ClientKey) -> Result<Allowance<'_>, Exceeded> {
        match self.governor.check_key(&key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Ok(Allowance { told: &self.told, remaining, reset: self.reset })
            }
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                let (limit, told) = (self.name.clone(), self.told.clone());
                Err(Exceeded { limit, told, retry_after: round_up(wait).max(1) })
            }
        }
    }
}

fn round_up(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// The fixed table. Keys are hashed with a secret of this process, so that nobody can choose
/// addresses that fall into one set.
struct Table {
    sets: Box<[Mutex<Option<Box<Set>>>]>,
    hasher: RandomState,
}

#[derive(Default, Clone, Copy)]
struct Place {
    key: Option<ClientKey>,
    /// governor's theoretical arrival time: past it, the client's allowance is whole again.
    arrival: u64,
}

type Set = [Place; PLACES];

impl Table {
    fn new(sets: usize) -> Self {
        Self { sets: (0..sets).map(|_| Mutex::new(None)).collect(), hasher: RandomState::new() }
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("sets", &self.sets.len()).finish_non_exhaustive()
    }
}

impl StateStore for Table {
    type Key = ClientKey;

    fn measure_and_replace<T, F, E>(&self, key: &ClientKey, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let index = self.hasher.hash_one(key) as usize % self.sets.len();
        let mut set = self.sets[index].lock();
        let set = set.get_or_insert_with(Box::default);
        if let Some(place) = set.iter_mut().find(|place| place.key == Some(*key)) {
            let (answer, arrival) = f(Some(Nanos::new(place.arrival)))?;
            place.arrival = arrival.as_u64();
            return Ok(answer);
        }
        let (answer, arrival) = f(None)?;
        let given_away = set.iter_mut().min_by_key(|place| (place.key.is_some(), place.arrival));
        if let Some(place) = given_away {
            *place = Place { key: Some(*key), arrival: arrival.as_u64() };
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::net::Ipv4Addr;

    fn rate(
        (count, per): (u32, u64),
        burst: u32,
        clock: FakeRelativeClock,
    ) -> Rate<FakeRelativeClock> {
        let count = NonZeroU32::new(count).unwrap();
        let rate = model::Rate { count, per: Duration::from_secs(per) };
        Rate::with_clock("api", rate, NonZeroU32::new(burst).unwrap(), clock)
    }

    fn client(n: u32) -> ClientKey {
        ClientKey::of(Ipv4Addr::from_bits(n).into())
    }

    #[test]
    fn the_burst_is_served_at_once_and_then_the_rate_counts() {
        let clock = FakeRelativeClock::default();
        let limiter = rate((10, 1), 20, clock.clone());
        let served = (0..300).filter(|_| limiter.check(client(1)).is_ok()).count();
        assert_eq!(served, 20);
        let over = limiter.check(client(1)).unwrap_err();
        let (mut told, mut policy) = (Vec::new(), Vec::new());
        over.allowance().write(&mut told);
        over.allowance().write_policy(&mut policy);
        assert_eq!(told, b"\"api\";r=0;t=1");
        assert_eq!(policy, b"\"api\";q=20;w=2");
        assert!(limiter.check(client(2)).is_ok(), "another client has its own allowance");
        clock.advance(Duration::from_millis(100));
        assert!(limiter.check(client(1)).is_ok());
        assert!(limiter.check(client(1)).is_err());
        clock.advance(Duration::from_secs(60));
        assert_eq!(limiter.check(client(1)).unwrap().remaining, 19);
    }

    #[test]
    fn slow_rates_say_when_to_come_back() {
        let limiter = rate((5, 3600), 1, FakeRelativeClock::default());
        assert!(limiter.check(client(1)).is_ok());
        assert_eq!(limiter.check(client(1)).unwrap_err().retry_after, 720);
    }

    #[test]
    fn ten_million_addresses_take_no_more_room_and_forgive_nobody_who_is_over() {
        let clock = FakeRelativeClock::default();
        let limiter = rate((1, 3600), 5, clock.clone());
        let greedy = client(u32::MAX);
        while limiter.check(greedy).is_ok() {}
        for n in 0..10_000_000 {
            // Whether an address out of ten million is served is not the point here.
            drop(limiter.check(client(n)));
            if n % 10_000 == 0 {
                assert!(limiter.check(greedy).is_err(), "forgiven after {n} addresses");
            }
        }
        let table = limiter.governor.into_state_store();
        let sets = table.sets.iter().filter(|set| set.lock().is_some()).count();
        assert_eq!(sets * size_of::<Set>(), 1_572_864, "full, and no fuller than that");
    }
}
