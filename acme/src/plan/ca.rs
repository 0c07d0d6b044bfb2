//! What a CA will put up with: known limits, kept before it has to say so, and patience with one that
//! is in trouble.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backoff;
use crate::failure::Blame;
use crate::moment::{Moment, Wait};

/// A CA as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ca {
    /// The URL of its directory.
    pub directory: String,
    /// The directory of its staging environment, where one is known.
    pub staging: Option<String>,
    /// What is known of its limits.
    pub limits: Limits,
}

/// Limits of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many new orders an account may make.
    pub orders: Option<Rate>,
    /// How many certificates there may be for the same names in a week.
    pub same_names_a_week: Option<usize>,
    /// Orders at the same time; no CA says a number, but nobody likes to be run over.
    pub at_once: usize,
}

/// So many in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In what time.
    pub within: Duration,
}

impl Limits {
    /// A CA about which nothing is known.
    pub const UNKNOWN: Self = Self { orders: None, same_names_a_week: None, at_once: 8 };
}

/// What is kept about a CA.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaRecord {
    /// When, by the limit of orders, the last order would have been due had they come evenly: the
    /// theoretical arrival time of the generic cell rate algorithm (ITU-T I.371).
    pub orders_until: Moment,
    /// Failures of the CA's in a row, of whatever certificate.
    pub failures: u32,
    /// Until it is over nobody asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Wait>,
    /// Whether it has renewal information, as its directory said last.
    pub renewal_info: bool,
}

impl CaRecord {
    /// When it may be asked for anything.
    pub(crate) fn open_at(&self) -> Moment {
        self.hold.map_or(Moment(0), Wait::end)
    }

    /// The clock was set back to `now`: nothing was later than that.
    pub(super) fn rebase(&mut self, limits: &Limits, now: Moment) {
        if let Some(hold) = &mut self.hold {
            hold.rebase(now);
        }
        if let Some(rate) = limits.orders {
            // No more can be owed than a full burst.
            let (interval, tolerance) = rate.cells();
            self.orders_until = self.orders_until.min(now.after(tolerance + interval));
        }
    }

    /// When it may be asked for another certificate.
    pub(super) fn order_at(&self, limits: &Limits) -> Moment {
        let Some(rate) = limits.orders else { return Moment(0) };
        let (_, tolerance) = rate.cells();
        self.orders_until.before(tolerance)
    }

    /// How many more orders may be made at `now`, where a limit is known.
    #[must_use]
    pub fn orders_left(&self, limits: &Limits, now: Moment) -> Option<u32> {
        let (interval, tolerance) = limits.orders?.cells();
        let owed = self.orders_until.since(now).as_secs();
        let room = (tolerance + interval).as_secs().saturating_sub(owed);
        Some(u32::try_from(room / interval.as_secs().max(1)).unwrap_or(u32::MAX))
    }

    /// One more order is made.
    pub(super) fn order(&mut self, limits: &Limits, now: Moment) {
        let Some(rate) = limits.orders else { return };
        let (interval, _) = rate.cells();
        self.orders_until = self.orders_until.max(now).after(interval);
    }

    /// It did what it was asked for, or refused for reasons that lie with the certificate.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
        self.hold = None;
    }

    /// An attempt failed; nobody else needs to find out the same.
    pub(super) fn failed(&mut self, blame: Blame, now: Moment) {
        match blame {
            Blame::Ca | Blame::Limit => {
                self.failures = self.failures.saturating_add(1);
                self.hold = Some(Wait::new(now, backoff::hold(self.failures)));
            }
            Blame::Account | Blame::Name | Blame::Local => self.answered(),
        }
    }

    /// How many may ask at the same time: while it is in trouble, one finds out for all.
    pub(super) fn at_once(&self, limits: &Limits) -> usize {
        if self.failures > 0 { 1 } else { limits.at_once }
    }
}

impl Rate {
    /// The interval at which orders may come evenly, and how much earlier than that one may come. A
    /// tenth is left for whoever shares the account.
    fn cells(self) -> (Duration, Duration) {
        let ours = (self.count - self.count / 10).max(1);
        // Rounded up to whole seconds: never faster than allowed.
        let interval = Duration::from_secs(self.within.as_secs().div_ceil(u64::from(ours)));
        (interval, interval * (ours - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        orders: Some(Rate { count: 300, within: Duration::from_secs(3 * 3600) }),
        same_names_a_week: None,
        at_once: 8,
    };

    fn orders_within(seconds: u64, record: &mut CaRecord, from: u64) -> usize {
        let mut orders = 0;
        for second in from..from + seconds {
            while record.order_at(&LIMITS) <= Moment(second) {
                record.order(&LIMITS, Moment(second));
                orders += 1;
            }
        }
        orders
    }

    #[test]
    fn the_limit_of_orders_is_kept_with_a_tenth_to_spare() {
        let mut record = CaRecord::default();
        assert_eq!(orders_within(1, &mut record, 1_000_000), 270, "a burst");
        let next = orders_within(3 * 3600, &mut record, 1_000_001);
        assert!((260..=270).contains(&next), "{next} in the three hours after it");
    }

    #[test]
    fn what_is_left_of_the_limit_is_what_can_still_be_ordered() {
        let (mut record, now) = (CaRecord::default(), Moment(1_000_000));
        for left in (0..=270).rev() {
            assert_eq!(record.orders_left(&LIMITS, now), Some(left));
            assert_eq!(record.order_at(&LIMITS) <= now, left > 0);
            record.order(&LIMITS, now);
        }
        assert_eq!(record.orders_left(&Limits::UNKNOWN, now), None);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_orders_for_years() {
        let mut record = CaRecord::default();
        record.order(&LIMITS, Moment(2_000_000_000));
        let now = Moment(1_000_000_000);
        record.rebase(&LIMITS, now);
        assert!(record.order_at(&LIMITS) <= now.after(Duration::from_secs(60)));
    }

    #[test]
    fn one_asks_for_all_while_a_ca_is_in_trouble() {
        let mut record = CaRecord::default();
        let now = Moment(1_000);
        record.failed(Blame::Ca, now);
        assert_eq!(record.open_at(), Moment(1_060));
        assert_eq!(record.at_once(&LIMITS), 1);
        record.failed(Blame::Name, now);
        assert_eq!(record.open_at(), Moment(0));
        assert_eq!(record.at_once(&LIMITS), 8);
    }
}
