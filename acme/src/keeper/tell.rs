//! What the keeper says about what happens, and how things stand.

use super::entry::Entry;
use super::ledger::Ledger;
use super::{About, Event, Keeper, Observer, State, Waiting};
use crate::failure::Failure;
use crate::moment::Moment;
use crate::plan::{Planner, Stage};

impl Keeper {
    /// Tells what came of an attempt.
    pub(super) fn tell_end(&self, certificate: usize, directory: &str, stage: Stage, now: Moment) {
        let Some(planned) = self.planner.certificates().get(certificate) else { return };
        self.tell_about(certificate, directory, stage, |observer, about| {
            let event = match (&planned.record.failed, stage, planned.lifetime) {
                (_, Stage::Rehearsal, _) if planned.record.rehearsed => Event::Rehearsed { about },
                (Some(failed), ..) => {
                    let (next, _) = self.planner.next_attempt(certificate, now);
                    Event::Failed { about, failure: &failed.failure, next }
                }
                (None, _, Some(lifetime)) => {
                    let due = planned.due().unwrap_or(lifetime.not_after);
                    Event::Issued { about, not_after: lifetime.not_after, due }
                }
                (None, _, None) => return,
            };
            observer.event(&event);
        });
    }

    pub(super) fn tell_brought_forward(&self, of: usize, due: Moment, explanation: Option<&str>) {
        let directory = self.issued_by(of).unwrap_or_default();
        self.tell_about(of, &directory, Stage::Real, |observer, about| {
            observer.event(&Event::BroughtForward { about, due, explanation });
        });
    }

    pub(super) fn tell_no_suggestion(&self, of: usize, failure: &Failure) {
        let directory = self.issued_by(of).unwrap_or_default();
        self.tell_about(of, &directory, Stage::Real, |observer, about| {
            observer.event(&Event::NotSuggested { about, failure });
        });
    }

    fn tell_about(
        &self,
        certificate: usize,
        directory: &str,
        stage: Stage,
        tell: impl FnOnce(&dyn Observer, About<'_>),
    ) {
        let Some(entry) = self.entries.get(certificate) else { return };
        let hosts = entry.names();
        tell(&*self.observer, About { site: &entry.site, hosts: &hosts, directory, stage });
    }

    pub(super) fn not_kept(&self, failure: &Failure) {
        self.observer.event(&Event::NotKept { failure });
    }

    pub(super) fn tell_skew(&mut self) {
        let seconds = self.performer.skew_seconds();
        if seconds.abs_diff(self.told_skew) > 60 {
            self.told_skew = seconds;
            self.observer.event(&Event::ClockIsWrong { seconds });
        }
    }
}

pub(super) fn states(
    entries: &[Entry],
    planner: &Planner,
    ledger: &Ledger,
    now: Moment,
) -> Vec<State> {
    let planned = planner.certificates().iter();
    let all = entries.iter().zip(planned).enumerate();
    all.map(|(index, (entry, planned))| {
        let (next_attempt, ca) = planner.next_attempt(index, now);
        let record = &planned.record;
        let info = record.renewal_info.as_ref();
        let current = entry.current.as_ref();
        State {
            site: entry.site.clone(),
            hosts: entry.hosts.clone(),
            key: entry.key,
            issuer: current.map(|current| current.issuer().to_owned()),
            serial: current.map(|current| current.serial().to_owned()),
            lifetime: planned.lifetime,
            issued_by: record.issued_by.clone().filter(|_| current.is_some()),
            revoked: planned.revoked,
            kept_in: ledger.storage().describe(&entry.bundle_key()),
            window: info.and_then(|info| info.window),
            explanation: info.and_then(|info| info.explanation.clone()),
            due: planned.due(),
            next_attempt,
            next_directory: planner.directory(ca, Stage::Real).to_owned(),
            under_way: record.begun.clone(),
            failures: record.failures
                + record.cas.values().map(|tries| tries.failures).sum::<u32>(),
            failed: record.failed.clone(),
            waits: Waiting::all(record, now),
            damaged: entry.damaged.clone(),
        }
    })
    .collect()
}
