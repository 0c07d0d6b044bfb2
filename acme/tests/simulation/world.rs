//! The gateway's plan, carried out in a world where everything goes wrong now and then.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;
use std::time::Duration;

use gateway_acme::plan::{
    Ca, CaRecord, Lifetime, Limits, Planned, Planner, Rate, Record, Stage, Step,
};
use gateway_acme::{Blame, Failure, Moment};

use crate::authority::{Answer, Authority, Refused};
use crate::dice::Dice;
use crate::troubles::{Spans, WrongClock};
use crate::{DAY, HOUR};

const BEGIN: u64 = 1_800_000_000;

/// A certificate that was revoked should be gone so long after the gateway could have known.
const REVOKED_FOR_LONG: u64 = 12 * HOUR;

pub(crate) struct World {
    life: u64,
    authority: Authority,
    staging_failures: u64,
    outages: Spans,
    broken_names: Vec<Spans>,
    clock: WrongClock,
    revocations: Vec<u64>,
    dice: Dice,
    /// What a restart finds on the disk.
    records: Vec<Record>,
    lifetimes: Vec<Option<Lifetime>>,
    ca_records: BTreeMap<String, CaRecord>,
    figures: Figures,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    sites: usize,
    restarts: u64,
    plans: u64,
    attempts: u64,
    interrupted: u64,
    issued: u64,
    revoked: u64,
    revoked_served_long: u64,
    outages: usize,
    longest_outage: u64,
    clock_jumps: usize,
    rehearsals_failed: u64,
    real_validations_failed: u64,
    lapses: u64,
    /// The least of a life that was left when the next certificate came, in thousandths.
    least_left: u64,
    refused: Refused,
}

/// Under way until a moment of true time.
type UnderWay = BinaryHeap<Reverse<(u64, usize, usize, bool)>>;

impl World {
    pub(crate) fn new(sites: usize, life: u64, renewal_info: bool) -> Self {
        let mut dice = Dice::new(life ^ u64::from(renewal_info));
        let span = (BEGIN + 2 * life, BEGIN + 3 * 365 * DAY);
        // As long as a third of the lifetime, and as often as leaves no time to recover in between.
        let outages = Spans::draw(&mut dice, span, life / 3, life / 2);
        let broken = |_| match dice.once_in(20) {
            true => Spans::draw(&mut dice, span, life / 120, 2 * life),
            false => Spans::default(),
        };
        let broken_names = (0..sites).map(broken).collect();
        let clock = WrongClock::draw(&mut dice, span);
        let mut revocations = Vec::new();
        let mut at = span.0;
        while renewal_info && at < span.1 {
            revocations.push(at);
            at += dice.between(60 * DAY, 120 * DAY);
        }
        Self {
            life,
            authority: Authority::new(sites, life, renewal_info, BEGIN),
            staging_failures: 0,
            outages,
            broken_names,
            clock,
            revocations,
            dice,
            records: vec![Record::default(); sites],
            lifetimes: vec![None; sites],
            ca_records: BTreeMap::new(),
            figures: Figures { sites, least_left: 1000, ..Figures::default() },
        }
    }

    pub(crate) fn run(mut self, days: u64) -> Figures {
        for hour in 0..days * 24 {
            self.live_an_hour(BEGIN + hour * HOUR);
        }
        let figures = &mut self.figures;
        figures.issued = self.authority.issued;
        figures.outages = self.outages.count();
        figures.longest_outage = self.outages.longest();
        figures.clock_jumps = self.clock.count();
        figures.rehearsals_failed = self.staging_failures;
        figures.real_validations_failed = self.authority.failed_validations;
        figures.refused = self.authority.refused;
        self.figures
    }

    /// What the gateway takes for the time: the CA's word where it can be had, this machine's
    /// otherwise.
    fn believed(&self, now: u64) -> Moment {
        Moment(if self.outages.holds(now) { self.clock.shows(now) } else { now })
    }

    /// From a start to a kill.
    fn live_an_hour(&mut self, begin: u64) {
        self.figures.restarts += 1;
        let (end, mut now) = (begin + HOUR, begin);
        let mut planner = self.start(now);
        let mut under_way = UnderWay::new();
        self.revoke_some(begin);
        loop {
            self.figures.plans += 1;
            let steps = planner.steps(self.believed(now));
            for step in &steps.steps {
                self.take(step, &mut planner, &mut under_way, now);
            }
            if steps.steps.iter().any(|step| matches!(step, Step::AskRenewal { .. })) {
                continue;
            }
            let ends = under_way.peek().map_or(u64::MAX, |Reverse((at, ..))| *at);
            let believed = self.believed(now);
            let wake = now.saturating_add(steps.wake.since(believed).as_secs()).max(now + 1);
            now = ends.min(wake).min(self.outages.next_change(now)).min(end);
            if now == end {
                break;
            }
            while let Some(Reverse((at, site, ca, rehearsal))) = under_way.peek().copied()
                && at <= now
            {
                under_way.pop();
                self.finish(&mut planner, (site, ca, rehearsal), now);
            }
        }
        self.figures.interrupted += under_way.len() as u64;
        self.keep(&planner);
        self.look_for_lapses(end);
    }

    /// What was kept is all that a new process knows. Now and then it really passes through JSON.
    fn start(&mut self, now: u64) -> Planner {
        if self.figures.restarts.is_multiple_of(200) {
            let text = serde_json::to_string(&self.records).unwrap();
            assert_eq!(serde_json::from_str::<Vec<Record>>(&text).unwrap(), self.records);
            let text = serde_json::to_string(&self.ca_records).unwrap();
            let again: BTreeMap<String, CaRecord> = serde_json::from_str(&text).unwrap();
            assert_eq!(again, self.ca_records);
        }
        let believed = self.believed(now);
        let certificates = self.records.iter().zip(&self.lifetimes).enumerate();
        let certificates = certificates
            .map(|(site, (record, lifetime))| {
                Planned::new(record.clone(), *lifetime, site as u64, believed)
            })
            .collect();
        let limits = Limits {
            orders: Some(Rate { count: 300, within: Duration::from_secs(3 * HOUR) }),
            same_names_a_week: Some(5),
            at_once: 8,
        };
        let ca = Ca { directory: "real".into(), staging: Some("staging".into()), limits };
        let mut planner = Planner::new(vec![ca], self.ca_records.clone(), certificates);
        planner.has_renewal_info("real", self.authority.has_renewal_info());
        planner
    }

    fn keep(&mut self, planner: &Planner) {
        for (kept, planned) in self.records.iter_mut().zip(planner.certificates()) {
            kept.clone_from(&planned.record);
        }
        for directory in ["real", "staging"] {
            self.ca_records.insert(directory.into(), planner.ca_record(directory));
        }
    }

    fn take(&mut self, step: &Step, planner: &mut Planner, under_way: &mut UnderWay, now: u64) {
        match *step {
            Step::AskRenewal { certificate } if self.outages.holds(now) => {
                planner.renewal_unknown(certificate, self.believed(now));
            }
            Step::AskRenewal { certificate } => {
                let (window, again) = self.authority.suggestion(certificate);
                let believed = self.believed(now);
                planner.renewal_suggested(certificate, window, None, again, believed);
            }
            Step::Order { certificate, ca, stage } => {
                self.figures.attempts += 1;
                let took = self.dice.between(5, 90);
                let entry = (now + took, certificate, ca, stage == Stage::Rehearsal);
                under_way.push(Reverse(entry));
                if stage == Stage::Real && !self.outages.holds(now) {
                    let replaces = self.lifetimes[certificate].is_some();
                    if let Err(refused) = self.authority.order(certificate, replaces, now) {
                        assert_eq!(refused, Answer::LimitExceeded);
                    }
                }
            }
        }
    }

    fn finish(&mut self, planner: &mut Planner, order: (usize, usize, bool), now: u64) {
        let (site, ca, rehearsal) = order;
        let stage = if rehearsal { Stage::Rehearsal } else { Stage::Real };
        let believed = self.believed(now);
        let proved = !self.broken_names[site].holds(now);
        let answer = if self.outages.holds(now) {
            Err(failure(Blame::Ca))
        } else if rehearsal {
            self.staging_failures += u64::from(!proved);
            let lifetime = Lifetime { not_before: Moment(0), not_after: Moment(0) };
            if proved { Ok(lifetime) } else { Err(failure(Blame::Name)) }
        } else {
            match self.authority.finish(site, proved, now) {
                Answer::Issued(lifetime) => Ok(lifetime),
                Answer::LimitExceeded => Err(failure(Blame::Limit)),
                Answer::NotProved => Err(failure(Blame::Name)),
            }
        };
        match answer {
            Ok(lifetime) => {
                planner.issued(site, ca, stage, lifetime, believed);
                if stage == Stage::Real {
                    self.replace(site, lifetime, now);
                }
            }
            Err(failure) => planner.failed(site, ca, stage, failure, believed),
        }
    }

    fn replace(&mut self, site: usize, next: Lifetime, now: u64) {
        if let Some(last) = self.lifetimes[site].replace(next) {
            let left = last.not_after.0.saturating_sub(now) * 1000 / self.life;
            self.figures.least_left = self.figures.least_left.min(left);
        }
    }

    fn revoke_some(&mut self, now: u64) {
        if self.revocations.first().is_some_and(|at| *at <= now) {
            self.revocations.remove(0);
            let salt = now / HOUR;
            self.figures.revoked +=
                self.authority.revoke(|site| (site as u64 + salt).is_multiple_of(3), now);
        }
    }

    fn look_for_lapses(&mut self, now: u64) {
        for (site, lifetime) in self.lifetimes.iter().enumerate() {
            let Some(lifetime) = lifetime else { continue };
            self.figures.lapses += u64::from(lifetime.not_after.0 < now);
            let revoked = self.authority.revoked(site);
            let known_for_long = revoked.is_some_and(|at| {
                at + REVOKED_FOR_LONG == now
                    && !(at..=now)
                        .step_by(600)
                        .any(|at| self.outages.holds(at) || self.broken_names[site].holds(at))
            });
            self.figures.revoked_served_long += u64::from(known_for_long);
        }
    }
}

fn failure(blame: Blame) -> Failure {
    Failure { blame, what: String::new(), advice: String::new(), retry_after: None }
}

impl Figures {
    pub(crate) fn check(&self, name: &str) {
        assert_eq!(self.lapses, 0, "{name}: certificates lapsed");
        assert_eq!(self.refused, Refused::default(), "{name}: a limit of the CA was exceeded");
        assert_eq!(self.revoked_served_long, 0, "{name}: revoked and still served");
        assert!(self.issued > 1_000 && self.outages > 3 && self.clock_jumps > 10, "{name}: {self}");
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sites, {} issued in {} attempts ({} cut off by a restart), {} outages of up to {} h, \
             {} clock jumps, {} restarts, {} plans, {} revoked, {} failed rehearsals, {} failed validations; \
             least left of a life {}.{} %, lapses {}, refused by a limit {}",
            self.sites,
            self.issued,
            self.attempts,
            self.interrupted,
            self.outages,
            self.longest_outage / HOUR,
            self.clock_jumps,
            self.restarts,
            self.plans,
            self.revoked,
            self.rehearsals_failed,
            self.real_validations_failed,
            self.least_left / 10,
            self.least_left % 10,
            self.lapses,
            self.refused.orders + self.refused.same_names + self.refused.validations,
        )
    }
}
