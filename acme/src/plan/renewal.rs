//! When a certificate is to be renewed: a function of the certificate, what its CA suggests, and
//! nothing else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetime {
    /// Its first valid second.
    pub not_before: Moment,
    /// Its last.
    pub not_after: Moment,
}

/// When the CA suggests to renew (RFC 9773, section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Not before this.
    pub start: Moment,
    /// Not after this.
    pub end: Moment,
}

/// The share of its life after which a certificate is renewed, in thousandths: within these bounds,
/// another for each certificate, so that those that began together do not all come at once. The later
/// one is short of two thirds by so much that a CA may be down for a whole third of the lifetime from
/// then on, and the queue that has formed be worked off, before anything ends.
const SHARE: (u64, u64) = (600, 650);

impl Lifetime {
    /// How long it is in all.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.not_after.since(self.not_before)
    }

    /// How much of it is left.
    #[must_use]
    pub fn left(&self, now: Moment) -> Duration {
        self.not_after.since(now)
    }

    /// When to renew without a word of the CA's: at about two thirds of the lifetime.
    ///
    /// It is a share and not a number of days, so a certificate of six days is not renewed all the
    /// time, and one of ninety not in its last hours.
    #[must_use]
    pub fn own_due(&self, seed: u64) -> Moment {
        let (least, most) = SHARE;
        let share = least + spread(seed, most - least);
        let seconds = u128::from(self.length().as_secs()) * u128::from(share) / 1000;
        self.not_before.after(Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)))
    }

    /// When to renew: at a moment of the CA's window that `seed` chooses, but never later than
    /// without a window. So a CA can bring a renewal forward as far as it likes, which is what
    /// revocations in bulk need, and can put it off only as long as an outage of a third of the
    /// lifetime does no harm.
    #[must_use]
    pub fn due(&self, window: Option<Window>, seed: u64) -> Moment {
        let own = self.own_due(seed);
        match window {
            Some(window) => window.choose(seed).min(own),
            None => own,
        }
    }
}

impl Window {
    /// A moment in it, each as likely as the next; always the same for the same seed, so that a
    /// restart does not draw again.
    #[must_use]
    pub fn choose(&self, seed: u64) -> Moment {
        let length = self.end.since(self.start).as_secs();
        let mixed = seed ^ self.start.0.rotate_left(32) ^ self.end.0;
        self.start.after(Duration::from_secs(spread(mixed, length.saturating_add(1))))
    }
}

/// A number below `below` (0 where that is 0), well mixed from the seed (the finaliser of
/// splitmix64).
pub(crate) fn spread(seed: u64, below: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let scaled = (u128::from(mixed) * u128::from(below)) >> 64;
    u64::try_from(scaled).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn days(days: u64) -> Lifetime {
        Lifetime { not_before: Moment(100 * DAY), not_after: Moment((100 + days) * DAY) }
    }

    #[test]
    fn every_lifetime_is_renewed_at_the_same_share() {
        for length in [6, 45, 90, 365] {
            let lifetime = days(length);
            for seed in 0..1000 {
                let share = lifetime.own_due(seed).since(lifetime.not_before).as_secs_f64()
                    / lifetime.length().as_secs_f64();
                assert!((0.599..=0.65).contains(&share), "{length} days: {share}");
            }
        }
    }

    #[test]
    fn certificates_that_began_together_are_renewed_apart() {
        let lifetime = days(90);
        let mut dues: Vec<_> = (0..1000).map(|seed| lifetime.own_due(seed)).collect();
        dues.sort_unstable();
        let span = dues[999].since(dues[0]);
        assert!(span > Duration::from_secs(4 * DAY), "{span:?}");
        let middle = dues[500].since(dues[0]).as_secs_f64() / span.as_secs_f64();
        assert!((0.4..0.6).contains(&middle), "{middle}");
    }

    #[test]
    fn the_ca_may_bring_a_renewal_forward_and_hardly_put_it_off() {
        let lifetime = days(90);
        let own = lifetime.own_due(7);
        let early = Window { start: Moment(110 * DAY), end: Moment(112 * DAY) };
        let due = lifetime.due(Some(early), 7);
        assert!(early.start <= due && due <= early.end);
        let past = Window { start: Moment(0), end: Moment(DAY) };
        assert!(lifetime.due(Some(past), 7) <= Moment(DAY), "at once");
        let late = Window { start: Moment(185 * DAY), end: Moment(250 * DAY) };
        assert_eq!(lifetime.due(Some(late), 7), own);
    }

    #[test]
    fn nonsense_is_survived() {
        let backwards = Lifetime { not_before: Moment(10), not_after: Moment(5) };
        assert_eq!(backwards.own_due(1), Moment(10));
        let all = Lifetime { not_before: Moment(0), not_after: Moment::NEVER };
        assert!(all.own_due(u64::MAX) > Moment(0));
        let window = Window { start: Moment(9), end: Moment(3) };
        assert_eq!(window.choose(3), Moment(9));
        assert!(Window { start: Moment(0), end: Moment::NEVER }.choose(5) < Moment::NEVER);
    }
}
