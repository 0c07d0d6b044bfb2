//! Comparing passwords with hashes that are made to be slow: on other threads, a few at once, and not
//! again for each request of a page.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use aws_lc_rs::hmac;
use gateway_config::model::PasswordHash;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Denied;

/// Comparisons at once: each takes a thread for about 100 ms, and the memory that the hash asks for.
const AT_ONCE: usize = 4;

/// Requests that wait for their turn; more are sent away.
const WAITING: usize = 256;

/// Good passwords that are remembered at least; twice as many at most.
const REMEMBERED: usize = 4096;

/// How long a good password is remembered at least; twice as long at most.
const FOR: Duration = Duration::from_secs(300);

/// Names a good password without telling it: an HMAC under a key that dies with the process.
type Name = [u8; 32];

/// What compares passwords, for all routes.
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    key: hmac::Key,
    good: Mutex<Generations>,
}

/// What was good lately. The older half is dropped when the younger has grown large or old.
struct Generations {
    young: HashSet<Name>,
    old: HashSet<Name>,
    since: Instant,
}

impl Passwords {
    /// # Errors
    /// Where the system gives no random numbers.
    pub(crate) fn new() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key)?;
        let good =
            Generations { young: HashSet::new(), old: HashSet::new(), since: Instant::now() };
        Ok(Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: AtomicUsize::new(0),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            good: Mutex::new(good),
        })
    }

    /// Whether the password is the one of this hash. It takes as long where it is not.
    ///
    /// # Errors
    /// [`Denied::Busy`].
    pub(crate) async fn is_good(
        &self,
        password: String,
        hash: &PasswordHash,
    ) -> Result<bool, Denied> {
        let name = self.name(&password, hash);
        if self.good.lock().know(&name, Instant::now()) {
            return Ok(true);
        }
        let good = self.compare(password, hash).await?;
        if good {
            self.good.lock().remember(name, Instant::now());
        }
        Ok(good)
    }

    /// Takes the time of a comparison, for a user that there is not. Nothing is remembered and nothing
    /// known: a quick answer would tell that the password is somebody's.
    ///
    /// # Errors
    /// [`Denied::Busy`].
    pub(crate) async fn pretend(
        &self,
        password: String,
        decoy: &PasswordHash,
    ) -> Result<(), Denied> {
        self.compare(password, decoy).await.map(drop)
    }

    async fn compare(&self, password: String, hash: &PasswordHash) -> Result<bool, Denied> {
        let turn = self.turn().await?;
        let hash = hash.clone();
        let compared = tokio::task::spawn_blocking(move || {
            // Whoever asked may be gone; the comparison still takes its turn.
            let _turn = turn;
            compare(&password, &hash)
        });
        Ok(compared.await.unwrap_or(false))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Denied> {
        let _place = Place::take(&self.waiting)?;
        self.turns.clone().acquire_owned().await.map_err(|_closed| Denied::Busy)
    }

    fn name(&self, password: &str, hash: &PasswordHash) -> Name {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(hash.as_str().as_bytes());
        // No hash holds a zero, so that no two pairs are one text.
        context.update(b"\0");
        context.update(password.as_bytes());
        let mut name = Name::default();
        name.copy_from_slice(context.sign().as_ref());
        name
    }
}

/// A place among those who wait.
struct Place<'p>(&'p AtomicUsize);

impl<'p> Place<'p> {
    fn take(waiting: &'p AtomicUsize) -> Result<Self, Denied> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Relaxed) < WAITING { Ok(place) } else { Err(Denied::Busy) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Generations {
    fn know(&mut self, name: &Name, now: Instant) -> bool {
        self.age(now);
        self.young.contains(name) || self.old.contains(name)
    }

    fn remember(&mut self, name: Name, now: Instant) {
        self.age(now);
        self.young.insert(name);
    }

    fn age(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.since);
        if age < FOR && self.young.len() < REMEMBERED {
            return;
        }
        let young = std::mem::take(&mut self.young);
        self.old = if age < 2 * FOR { young } else { HashSet::new() };
        self.since = now;
    }
}

fn compare(password: &str, hash: &PasswordHash) -> bool {
    if hash.is_bcrypt() {
        bcrypt::verify(password, hash.as_str()).unwrap_or(false)
    } else {
        Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_good_is_forgotten_in_time() {
        let begun = Instant::now();
        let mut good = Generations { young: HashSet::new(), old: HashSet::new(), since: begun };
        let name = |number: usize| {
            let mut name = Name::default();
            name[..8].copy_from_slice(&number.to_be_bytes());
            name
        };
        good.remember(name(0), begun);
        assert!(good.know(&name(0), begun + FOR));
        assert!(!good.know(&name(0), begun + FOR * 2));
        good.remember(name(1), begun + FOR * 2);
        assert!(!good.know(&name(1), begun + FOR * 9));
        for number in 0..REMEMBERED * 3 {
            good.remember(name(number), begun + FOR * 9);
            assert!(good.young.len() + good.old.len() <= REMEMBERED * 2);
        }
        assert!(good.know(&name(REMEMBERED * 3 - 1), begun + FOR * 9));
    }

    #[tokio::test]
    async fn more_than_can_wait_are_sent_away() {
        let passwords = Passwords::new().unwrap();
        let turns = passwords.turns.clone().acquire_many_owned(4).await.unwrap();
        let mut places = Vec::new();
        for _ in 0..WAITING {
            places.push(Place::take(&passwords.waiting).unwrap());
        }
        assert!(matches!(passwords.turn().await, Err(Denied::Busy)));
        drop((places, turns));
        assert!(passwords.turn().await.is_ok());
    }
}
