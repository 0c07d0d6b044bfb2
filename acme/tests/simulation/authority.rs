//! The CA: it issues, suggests dates, revokes, and counts what is asked of it, by the limits that
//! Let's Encrypt has published.

use std::collections::VecDeque;
use std::time::Duration;

use gateway_acme::Moment;
use gateway_acme::plan::{Lifetime, Window};

use crate::{DAY, HOUR};

/// 300 orders in three hours, refilled one at a time.
const ORDERS: u64 = 300;
const REFILL: u64 = 36;

/// Certificates for the same names in a week.
const SAME_NAMES: usize = 5;

/// Failed validations of a name in an hour.
const VALIDATIONS: usize = 5;

#[derive(Debug)]
pub(crate) struct Authority {
    life: u64,
    renewal_info: bool,
    tokens: u64,
    refilled: u64,
    sites: Vec<Site>,
    pub(crate) refused: Refused,
    pub(crate) issued: u64,
    pub(crate) failed_validations: u64,
}

/// What the CA knows about a site.
#[derive(Debug, Clone, Default)]
struct Site {
    current: Option<Lifetime>,
    revoked: Option<u64>,
    issued: VecDeque<u64>,
    failed: VecDeque<u64>,
}

/// How often each limit was exceeded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) orders: u64,
    pub(crate) same_names: u64,
    pub(crate) validations: u64,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Issued(Lifetime),
    LimitExceeded,
    NotProved,
}

impl Authority {
    pub(crate) fn new(sites: usize, life: u64, renewal_info: bool, now: u64) -> Self {
        Self {
            life,
            renewal_info,
            tokens: ORDERS,
            refilled: now,
            sites: vec![Site::default(); sites],
            refused: Refused::default(),
            issued: 0,
            failed_validations: 0,
        }
    }

    pub(crate) fn has_renewal_info(&self) -> bool {
        self.renewal_info
    }

    /// A new order: counted when it is made, whatever becomes of it. A renewal that names what it
    /// replaces is outside of the limits where the CA has renewal information.
    pub(crate) fn order(&mut self, site: usize, replaces: bool, now: u64) -> Result<(), Answer> {
        let exempt = self.renewal_info && replaces && self.sites[site].current.is_some();
        if exempt {
            return Ok(());
        }
        let refill = (now - self.refilled) / REFILL;
        self.tokens = (self.tokens + refill).min(ORDERS);
        self.refilled += refill * REFILL;
        let known = &mut self.sites[site];
        forget(&mut known.issued, now, 7 * DAY);
        if known.issued.len() >= SAME_NAMES {
            self.refused.same_names += 1;
            return Err(Answer::LimitExceeded);
        }
        match self.tokens.checked_sub(1) {
            Some(left) => self.tokens = left,
            None => {
                self.refused.orders += 1;
                return Err(Answer::LimitExceeded);
            }
        }
        Ok(())
    }

    /// The order's end, a while later.
    pub(crate) fn finish(&mut self, site: usize, proved: bool, now: u64) -> Answer {
        let known = &mut self.sites[site];
        if !proved {
            forget(&mut known.failed, now, HOUR);
            if known.failed.len() >= VALIDATIONS {
                self.refused.validations += 1;
                return Answer::LimitExceeded;
            }
            known.failed.push_back(now);
            self.failed_validations += 1;
            return Answer::NotProved;
        }
        // Set back by an hour, as CAs do.
        let begun = now - HOUR;
        let lifetime = Lifetime { not_before: Moment(begun), not_after: Moment(begun + self.life) };
        known.current = Some(lifetime);
        known.revoked = None;
        known.issued.push_back(now);
        self.issued += 1;
        Answer::Issued(lifetime)
    }

    /// Revokes the certificate of every site that `chosen` names.
    pub(crate) fn revoke(&mut self, chosen: impl Fn(usize) -> bool, now: u64) -> u64 {
        let sites = self.sites.iter_mut().enumerate();
        let hit = sites.filter(|(site, known)| chosen(*site) && known.current.is_some());
        hit.map(|(_, known)| known.revoked = Some(now)).count() as u64
    }

    /// When the certificate that the site has was revoked.
    pub(crate) fn revoked(&self, site: usize) -> Option<u64> {
        self.sites[site].revoked
    }

    /// The suggested window: for a revoked certificate it lies in the past; otherwise as Let's
    /// Encrypt computes it, half of the life for the shortest, two thirds for the others, a day
    /// before and after.
    pub(crate) fn suggestion(&self, site: usize) -> (Window, Duration) {
        let known = &self.sites[site];
        let again = Duration::from_secs(6 * HOUR);
        let lifetime =
            known.current.unwrap_or(Lifetime { not_before: Moment(0), not_after: Moment(0) });
        if let Some(revoked) = known.revoked {
            let window = Window { start: Moment(revoked - HOUR), end: Moment(revoked) };
            return (window, again);
        }
        let (ideal, around) = match self.life {
            life if life < 10 * DAY => (lifetime.not_before.0 + life / 2, life / 50),
            life => (lifetime.not_after.0 - life / 3, DAY),
        };
        (Window { start: Moment(ideal - around), end: Moment(ideal + around) }, again)
    }
}

fn forget(times: &mut VecDeque<u64>, now: u64, after: u64) {
    while times.front().is_some_and(|at| now - at >= after) {
        times.pop_front();
    }
}
