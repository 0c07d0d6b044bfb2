//! Which certificate is whose turn, and which CA is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ca::{Ca, CaRecord, Limits};
use super::record::Record;
use super::renewal::{Lifetime, Window};
use crate::failure::{Blame, Failure};
use crate::moment::{Moment, Wait};

/// Questions for renewal information at the same time.
const QUESTIONS_AT_ONCE: usize = 16;

/// They are no hurry, so they are asked in groups, at full multiples of this: a thousand sites do not
/// wake the machine a thousand times.
const QUESTIONS_EVERY: u64 = 600;

/// The bounds of what a CA may say about when to ask again (RFC 9773, section 4.3.2).
const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(86_400));

/// How urgent a certificate is that is not there yet, on the scale of what is left of others, in
/// thousandths: before every ordinary renewal, and after those that are about to end.
const URGENCY_OF_NEW: u64 = 150;

/// One certificate.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The ledger.
    pub record: Record,
    /// Of the certificate that is served; `None` where the local CA stands in.
    pub lifetime: Option<Lifetime>,
    /// A number of its own, from which its place in every spread follows.
    pub seed: u64,
    /// Whether its CA has been told to revoke it: a successor is due at once.
    pub revoked: bool,
    busy: bool,
}

/// Everything that the plan is made of.
#[derive(Debug, Clone)]
pub struct Planner {
    /// The most wanted first.
    cas: Vec<Ca>,
    ca_records: BTreeMap<String, CaRecord>,
    certificates: Vec<Planned>,
    /// The latest moment that was heard of.
    latest: Moment,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask for a certificate.
    Order {
        /// Its number.
        certificate: usize,
        /// The place of the CA in the list.
        ca: usize,
        /// Which of the CA's environments.
        stage: Stage,
    },
    /// Ask when to renew one.
    AskRenewal {
        /// Its number.
        certificate: usize,
    },
}

/// A CA's environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The one whose certificates count.
    Real,
    /// The one where failing costs nothing.
    Rehearsal,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// The most urgent first. Each has been entered into the ledger as begun.
    pub steps: Vec<Step>,
    /// When to ask again, unless something ends before.
    pub wake: Moment,
}

impl Planned {
    /// A certificate with its ledger. What an earlier process left unfinished is settled.
    #[must_use]
    pub fn new(mut record: Record, lifetime: Option<Lifetime>, seed: u64, now: Moment) -> Self {
        record.settle(lifetime.map(|lifetime| lifetime.left(now)), seed, now);
        Self { record, lifetime, seed, revoked: false, busy: false }
    }

    /// The same for somebody who only looks: an attempt may be under way in another process.
    #[must_use]
    pub fn observed(record: Record, lifetime: Option<Lifetime>, seed: u64) -> Self {
        Self { record, lifetime, seed, revoked: false, busy: false }
    }

    /// When it is to be had anew, whatever was tried so far; `None`: at once.
    #[must_use]
    pub fn due(&self) -> Option<Moment> {
        if self.revoked {
            return None;
        }
        let window = self.record.renewal_info.as_ref().and_then(|info| info.window);
        self.lifetime.map(|lifetime| lifetime.due(window, self.seed))
    }

    fn left(&self, now: Moment) -> Option<Duration> {
        self.lifetime.map(|lifetime| lifetime.left(now))
    }

    /// What is left of it in thousandths of its life; the smaller, the sooner its turn.
    fn urgency(&self, now: Moment) -> u64 {
        let Some(lifetime) = self.lifetime.filter(|_| !self.revoked) else {
            return URGENCY_OF_NEW;
        };
        lifetime.left(now).as_secs().saturating_mul(1000) / lifetime.length().as_secs().max(1)
    }

    fn ask_renewal_at(&self) -> Moment {
        self.record.renewal_info.as_ref().map_or(Moment(0), |info| info.poll.end())
    }
}

impl Planner {
    /// A plan for these certificates with these CAs, the most wanted first.
    #[must_use]
    pub fn new(
        cas: Vec<Ca>,
        ca_records: BTreeMap<String, CaRecord>,
        certificates: Vec<Planned>,
    ) -> Self {
        // So that the first moment counts as a clock that was set back: it may have been, since the
        // ledger was written.
        Self { cas, ca_records, certificates, latest: Moment::NEVER }
    }

    /// The CAs.
    #[must_use]
    pub fn cas(&self) -> &[Ca] {
        &self.cas
    }

    /// The certificates, by their numbers.
    #[must_use]
    pub fn certificates(&self) -> &[Planned] {
        &self.certificates
    }

    /// What is kept about a CA.
    #[must_use]
    pub fn ca_record(&self, directory: &str) -> CaRecord {
        self.ca_records.get(directory).cloned().unwrap_or_default()
    }

    /// The directory that a step asks.
    #[must_use]
    pub fn directory(&self, ca: usize, stage: Stage) -> &str {
        let Some(ca) = self.cas.get(ca) else { return "" };
        match (&ca.staging, stage) {
            (Some(staging), Stage::Rehearsal) => staging,
            _ => &ca.directory,
        }
    }

    /// When an attempt is made at this certificate, and with which CA.
    #[must_use]
    pub fn next_attempt(&self, certificate: usize, now: Moment) -> (Moment, usize) {
        let Some(planned) = self.certificates.get(certificate) else { return (Moment::NEVER, 0) };
        let due = planned.due().unwrap_or(Moment(0));
        let wait = planned.record.wait.map_or(Moment(0), Wait::end);
        let mut best = (Moment::NEVER, 0);
        for (index, ca) in self.cas.iter().enumerate() {
            let at = due.max(wait).max(self.ca_ready_at(planned, ca, now));
            // The earliest, and of those that could be asked now the most wanted.
            if at < best.0 {
                best = (at, index);
            }
            if at <= now {
                break;
            }
        }
        best
    }

    fn ca_ready_at(&self, planned: &Planned, ca: &Ca, now: Moment) -> Moment {
        let tries = planned.record.cas.get(&ca.directory);
        let tried = tries.map_or(Moment(0), |tries| tries.wait.end());
        let open = self.ca_records.get(&ca.directory).map_or(Moment(0), |record| record.open_at());
        let most = ca.limits.same_names_a_week;
        // One less than the CA allows, for a day on which somebody needs one by hand.
        let full = most.and_then(|most| planned.record.week_full_until(most.max(2) - 1, now));
        tried.max(open).max(full.unwrap_or(Moment(0)))
    }

    /// What to do at `now`.
    pub fn steps(&mut self, now: Moment) -> Steps {
        if now < self.latest {
            self.rebase(now);
        }
        self.latest = now;
        let mut plan = Steps { steps: Vec::new(), wake: Moment::NEVER };
        self.plan_orders(now, &mut plan);
        self.plan_questions(now, &mut plan);
        plan
    }

    fn rebase(&mut self, now: Moment) {
        for planned in &mut self.certificates {
            planned.record.rebase(now);
        }
        for ca in &self.cas {
            if let Some(record) = self.ca_records.get_mut(&ca.directory) {
                record.rebase(&ca.limits, now);
            }
            if let Some(record) = ca.staging.as_ref().and_then(|it| self.ca_records.get_mut(it)) {
                record.rebase(&Limits::UNKNOWN, now);
            }
        }
    }

    fn plan_orders(&mut self, now: Moment, plan: &mut Steps) {
        let mut turn = Vec::new();
        for certificate in self.idle() {
            let (at, ca) = self.next_attempt(certificate, now);
            if at > now {
                plan.wake = plan.wake.min(at);
            } else {
                turn.push((self.certificates[certificate].urgency(now), certificate, ca));
            }
        }
        turn.sort_unstable();
        let mut under_way = self.under_way();
        for (_, certificate, ca) in turn {
            let stage = self.stage(certificate, ca);
            let directory = self.directory(ca, stage).to_owned();
            let limits = &self.cas[ca].limits;
            let record = self.ca_records.entry(directory.clone()).or_default();
            let running = under_way.entry(directory.clone()).or_insert(0);
            if *running >= record.at_once(limits) {
                // When one of those ends, the plan is made anew.
                continue;
            }
            if stage == Stage::Real
                && !renews_by_suggestion(&self.certificates[certificate], record, &directory)
            {
                let at = record.order_at(limits);
                if at > now {
                    plan.wake = plan.wake.min(at);
                    continue;
                }
                record.order(limits, now);
            }
            *running += 1;
            let planned = &mut self.certificates[certificate];
            planned.busy = true;
            planned.record.begin(&directory, now);
            plan.steps.push(Step::Order { certificate, ca, stage });
        }
    }

    fn plan_questions(&mut self, now: Moment, plan: &mut Steps) {
        let mut left = QUESTIONS_AT_ONCE;
        for certificate in self.idle().collect::<Vec<_>>() {
            let planned = &self.certificates[certificate];
            let Some(ca) = planned.record.issued_by.as_ref().and_then(|ca| self.ca_records.get(ca))
            else {
                continue;
            };
            if planned.lifetime.is_none() || !ca.renewal_info {
                continue;
            }
            let at = planned.ask_renewal_at().max(ca.open_at());
            if at > now {
                let group = at.0.div_ceil(QUESTIONS_EVERY).saturating_mul(QUESTIONS_EVERY);
                plan.wake = plan.wake.min(Moment(group));
            } else if left > 0 {
                left -= 1;
                self.certificates[certificate].busy = true;
                plan.steps.push(Step::AskRenewal { certificate });
            }
        }
    }

    fn idle(&self) -> impl Iterator<Item = usize> + use<'_> {
        (0..self.certificates.len()).filter(|certificate| !self.certificates[*certificate].busy)
    }

    fn under_way(&self) -> BTreeMap<String, usize> {
        let mut under_way = BTreeMap::new();
        let begun = self.certificates.iter().filter_map(|planned| planned.record.begun.as_ref());
        for begun in begun {
            *under_way.entry(begun.directory.clone()).or_insert(0) += 1;
        }
        under_way
    }

    /// A name that failed is first tried where failing costs nothing.
    fn stage(&self, certificate: usize, ca: usize) -> Stage {
        let record = &self.certificates[certificate].record;
        let name_failed =
            record.failed.as_ref().is_some_and(|failed| failed.failure.blame == Blame::Name);
        match self.cas[ca].staging {
            Some(_) if name_failed && !record.rehearsed => Stage::Rehearsal,
            _ => Stage::Real,
        }
    }

    /// A certificate was issued; by the staging environment it only shows that the names are fine.
    pub fn issued(
        &mut self,
        certificate: usize,
        ca: usize,
        stage: Stage,
        lifetime: Lifetime,
        now: Moment,
    ) {
        let directory = self.directory(ca, stage).to_owned();
        self.ca_records.entry(directory.clone()).or_default().answered();
        let Some(planned) = self.certificates.get_mut(certificate) else { return };
        planned.busy = false;
        match stage {
            Stage::Rehearsal => planned.record.rehearse(),
            Stage::Real => {
                planned.record.succeed(&directory, now);
                planned.lifetime = Some(lifetime);
                planned.revoked = false;
            }
        }
    }

    /// An attempt failed.
    pub fn failed(
        &mut self,
        certificate: usize,
        ca: usize,
        stage: Stage,
        failure: Failure,
        now: Moment,
    ) {
        let directory = self.directory(ca, stage).to_owned();
        let real = self.directory(ca, Stage::Real).to_owned();
        self.ca_records.entry(directory).or_default().failed(failure.blame, now);
        let Some(planned) = self.certificates.get_mut(certificate) else { return };
        planned.busy = false;
        let left = planned.left(now);
        // Also where the staging environment is in trouble: the real one is not asked in its stead.
        planned.record.fail(failure, &real, left, planned.seed, now);
    }

    /// A certificate was revoked: it is to be replaced as soon as a CA may be asked.
    pub fn revoked(&mut self, certificate: usize) {
        if let Some(planned) = self.certificates.get_mut(certificate) {
            planned.revoked = true;
        }
    }

    /// The CA has said when to renew a certificate, and after what time to ask again.
    pub fn renewal_suggested(
        &mut self,
        certificate: usize,
        window: Window,
        explanation: Option<String>,
        again: Duration,
        now: Moment,
    ) {
        let Some(planned) = self.certificates.get_mut(certificate) else { return };
        planned.busy = false;
        planned.record.learn(window, explanation, again.clamp(ASK_AGAIN.0, ASK_AGAIN.1), now);
    }

    /// The CA has not said when to renew a certificate. That says nothing about its other services.
    pub fn renewal_unknown(&mut self, certificate: usize, now: Moment) {
        let Some(planned) = self.certificates.get_mut(certificate) else { return };
        planned.busy = false;
        planned.record.learn_nothing(now);
    }

    /// What a CA's directory said about renewal information.
    pub fn has_renewal_info(&mut self, directory: &str, has: bool) {
        self.ca_records.entry(directory.to_owned()).or_default().renewal_info = has;
    }
}

/// Whether this would be a renewal that the CA itself asks for: those are outside of its limits
/// (Let's Encrypt: "Rate Limits", renewals coordinated by ARI).
fn renews_by_suggestion(planned: &Planned, ca: &CaRecord, directory: &str) -> bool {
    ca.renewal_info
        && planned.lifetime.is_some()
        && planned.record.issued_by.as_deref() == Some(directory)
}
