//! The attempt ledger of one certificate: what was tried, what came of it, and until when that means
//! to wait. It is written before an attempt begins, so a process that is restarted over and over
//! counts its attempts like one that runs for years.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backoff;
use super::renewal::Window;
use crate::failure::{Blame, Failed, Failure};
use crate::moment::{Moment, Wait};

/// For how long certificates that were issued are remembered: CAs limit how many there may be for the
/// same names in a week.
pub(super) const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// The longest that a CA is obeyed when it asks to be left alone; a year would be a mistake.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(8 * 86_400);

/// What is kept about one certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Failures in a row that would have been the same with every CA.
    pub failures: u32,
    /// Until it is over no CA is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
    /// What failed with one CA, by its directory.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cas: BTreeMap<String, Tries>,
    /// The attempt that is under way, or was when the process ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// Whether the CA's staging environment has issued since the last failure.
    pub rehearsed: bool,
    /// The last failure; gone with the next success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    /// When certificates were issued, for a week.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<Moment>,
    /// The directory of the CA that issued what is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<String>,
    /// What that CA suggests about the renewal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal_info: Option<RenewalInfo>,
}

/// Failures in a row with one CA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// How many.
    pub failures: u32,
    /// Until it is over this CA is not asked.
    pub wait: Wait,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// When it began.
    pub at: Moment,
    /// The directory of the CA.
    pub directory: String,
}

/// Renewal information (RFC 9773).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalInfo {
    /// When to renew; none until the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// A page of the CA's that says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Until it is over the CA is not asked again.
    pub poll: Wait,
    /// Questions in a row without an answer.
    pub failures: u32,
}

impl Record {
    /// An attempt begins.
    pub(crate) fn begin(&mut self, directory: &str, now: Moment) {
        self.begun = Some(Begun { at: now, directory: directory.to_owned() });
    }

    /// An attempt failed; the certificate that is served ends in `left`.
    pub(crate) fn fail(
        &mut self,
        failure: Failure,
        directory: &str,
        left: Option<Duration>,
        seed: u64,
        now: Moment,
    ) {
        self.begun = None;
        self.rehearsed = false;
        if failure.blame.is_everywhere() {
            self.failures = self.failures.saturating_add(1);
            self.wait = Some(Wait::new(now, backoff::wait(self.failures, left, seed)));
        } else {
            let failures = self.cas.get(directory).map_or(0, |tries| tries.failures);
            let failures = failures.saturating_add(1);
            let asked = failure.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
            let wait = Wait::new(now, backoff::wait(failures, left, seed).max(asked));
            self.cas.insert(directory.to_owned(), Tries { failures, wait });
        }
        self.failed = Some(Failed { at: now, directory: directory.to_owned(), failure });
    }

    /// What an earlier process began and did not end counts as a failure of this machine: were it not
    /// counted, one that dies each time would begin again each time.
    pub(crate) fn settle(&mut self, left: Option<Duration>, seed: u64, now: Moment) -> bool {
        let Some(begun) = self.begun.take() else { return false };
        let failure = Failure {
            blame: Blame::Local,
            what: "The gateway was stopped in the middle of the last attempt.".to_owned(),
            advice: "Nothing is to be done, unless it is stopped again and again.".to_owned(),
            retry_after: None,
        };
        self.fail(failure, &begun.directory, left, seed, begun.at.min(now));
        true
    }

    /// The staging environment issued, so the names are fine: the real thing may be tried at once.
    pub(crate) fn rehearse(&mut self) {
        self.begun = None;
        self.rehearsed = true;
        self.wait = None;
    }

    /// A certificate was issued.
    pub(crate) fn succeed(&mut self, directory: &str, now: Moment) {
        let issued = std::mem::take(&mut self.issued);
        *self = Self { issued, issued_by: Some(directory.to_owned()), ..Self::default() };
        self.issued.retain(|at| now.since(*at) < WEEK);
        self.issued.push(now);
    }

    /// The CA has said when to renew.
    pub(crate) fn learn(
        &mut self,
        window: Window,
        explanation: Option<String>,
        again: Duration,
        now: Moment,
    ) {
        let poll = Wait::new(now, again);
        self.renewal_info =
            Some(RenewalInfo { window: Some(window), explanation, poll, failures: 0 });
    }

    /// The CA has not said when to renew; what it said before stays good.
    pub(crate) fn learn_nothing(&mut self, now: Moment) {
        let poll = Wait::new(now, Duration::ZERO);
        let info = self.renewal_info.get_or_insert(RenewalInfo {
            window: None,
            explanation: None,
            poll,
            failures: 0,
        });
        info.failures = info.failures.saturating_add(1);
        info.poll = Wait::new(now, backoff::hold(info.failures) * 12);
    }

    /// The clock was set back to `now`: nothing was later than that.
    pub(super) fn rebase(&mut self, now: Moment) {
        let waits = self.cas.values_mut().map(|tries| &mut tries.wait);
        let poll = self.renewal_info.as_mut().map(|info| &mut info.poll);
        waits.chain(&mut self.wait).chain(poll).for_each(|wait| wait.rebase(now));
        self.issued.iter_mut().for_each(|at| *at = (*at).min(now));
    }

    /// When the first of `most` certificates of the last week is a week old; `None` while there are
    /// fewer.
    pub(super) fn week_full_until(&self, most: usize, now: Moment) -> Option<Moment> {
        let recent: Vec<_> = self
            .issued
            .iter()
            .map(|at| (*at).min(now))
            .filter(|at| now.since(*at) < WEEK)
            .collect();
        let first = recent.len().checked_sub(most)?;
        recent.get(first).map(|at| at.after(WEEK))
    }
}
