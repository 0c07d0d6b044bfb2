//! The keeper at work: steps are begun, come to their ends, and the plan is made anew.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use tokio::task::{Id, JoinSet, LocalSet};

use super::entry;
use super::perform::Outcome;
use super::tell::states;
use super::{Event, KEEP_AGAIN, Keeper, LOOK_AGAIN};
use crate::authority::{Suggestion, local};
use crate::doctor::{self, Password};
use crate::failure::{Blame, Failure};
use crate::moment::Moment;
use crate::plan::{Planner, Stage, Step};
use crate::storage::Lease;

/// How long steps may still take when another keeper waits to go on.
const LAST_STEPS: Duration = Duration::from_secs(60);

/// What a process may do to what is kept.
#[derive(Clone, Copy)]
enum Holds {
    Lease,
    Nothing,
}

/// Steps that are under way.
#[derive(Default)]
struct Running {
    tasks: JoinSet<Outcome>,
    steps: HashMap<Id, Step>,
}

impl Running {
    fn add(&mut self, step: Step, task: impl Future<Output = Outcome> + 'static) {
        let id = self.tasks.spawn_local(task).id();
        self.steps.insert(id, step);
    }

    /// What came of the next step that ends; never, where none is under way. One that panicked has
    /// failed like any other: its certificate has its next turn.
    async fn next(&mut self) -> Option<Outcome> {
        match self.tasks.join_next_with_id().await? {
            Ok((id, outcome)) => {
                self.steps.remove(&id);
                Some(outcome)
            }
            Err(error) => self.steps.remove(&error.id()).map(|step| broken_off(&step)),
        }
    }
}

fn broken_off(step: &Step) -> Outcome {
    let failure = Failure {
        blame: Blame::Local,
        what: "The attempt was broken off by a mistake in the gateway; stderr has a line about it."
            .into(),
        advice: "Please report it.".into(),
        retry_after: None,
    };
    match *step {
        Step::Order { certificate, ca, stage } => {
            Outcome::Order { certificate, ca, stage, result: Err(failure) }
        }
        Step::AskRenewal { certificate } => Outcome::Renewal { certificate, result: Err(failure) },
    }
}

impl Keeper {
    /// Looks after the certificates until `stop` is over. Where another process does so already, this
    /// one serves what that one wins, and waits.
    ///
    /// To be awaited on a runtime that does nothing else: it writes to disk.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        self.run_until_replaced(stop, std::future::pending()).await;
    }

    /// The same, until another keeper is to go on, with other names: then nothing new is begun, and
    /// what is under way has a minute to come to its end.
    pub async fn run_until_replaced(
        mut self,
        stop: impl Future<Output = ()>,
        replaced: impl Future<Output = ()>,
    ) {
        let work = async {
            let mut replaced = pin!(replaced);
            let lease = tokio::select! {
                lease = self.wait_for_lease() => lease,
                () = replaced.as_mut() => return,
            };
            let mut running = Running::default();
            tokio::select! {
                () = self.contact_and_work(&mut running) => {}
                () = replaced => {}
            }
            drop(tokio::time::timeout(LAST_STEPS, self.finish(&mut running)).await);
            drop(lease);
        };
        let here = LocalSet::new();
        tokio::select! {
            () = here.run_until(work) => {}
            () = stop => {}
        }
    }

    async fn wait_for_lease(&mut self) -> Box<dyn Lease> {
        let mut told = false;
        loop {
            match self.ledger.storage().try_lock("keeper") {
                Ok(Some(lease)) => {
                    // The one before may have won something until its last moment.
                    self.reload(Holds::Lease);
                    self.make_password();
                    return lease;
                }
                Ok(None) if !told => self.observer.event(&Event::AnotherProcess),
                Ok(None) => {}
                Err(error) => self.not_kept(&local(error)),
            }
            told = true;
            tokio::time::sleep(LOOK_AGAIN).await;
            self.reload(Holds::Nothing);
        }
    }

    /// Reads everything anew. Only who holds the lease moves aside what is damaged, and takes what was
    /// left unfinished for cut off: without it, that is another process's to finish.
    fn reload(&mut self, holds: Holds) {
        let acme = self.performer.acme();
        let now = self.now();
        let observer = match holds {
            Holds::Lease => Some(&*self.observer),
            Holds::Nothing => None,
        };
        match self.ledger.load(&mut self.entries, acme, observer, now) {
            Ok(planner) => self.planner = planner,
            Err(error) => return self.not_kept(&local(error)),
        }
        self.serve_all();
        self.load_password();
    }

    /// What the doctor is known by. A damaged one counts as none.
    pub(super) fn load_password(&self) {
        let kept = self.ledger.storage().load(doctor::KEY).ok().flatten();
        self.responder.set_password(kept.and_then(|kept| Password::read(&kept)));
    }

    /// Makes it where there is none. Only the process that has the lock does, so there is one. It is no
    /// harm where it cannot be kept: the doctor says that the storage cannot be written to.
    fn make_password(&self) {
        if self.responder.has_password() {
            return;
        }
        let made = Password::make();
        let kept = made.map(|made| self.ledger.storage().store(doctor::KEY, made.as_bytes()));
        if let Some(Ok(())) = kept {
            self.load_password();
        }
    }

    async fn contact_and_work(&mut self, running: &mut Running) {
        self.performer.contact_first().await;
        self.work(running).await;
    }

    /// Takes what is under way to its end, and keeps what comes of it.
    async fn finish(&mut self, running: &mut Running) {
        while let Some(outcome) = running.next().await {
            self.end(outcome);
            // What cannot be kept has been told.
            drop(self.keep());
        }
    }

    async fn work(&mut self, running: &mut Running) {
        loop {
            self.tell_skew();
            let now = self.now();
            self.performer.tell_plan(&mut self.planner);
            if let Err(error) = self.ledger.heed_marks(&self.entries, &mut self.planner) {
                self.not_kept(&local(error));
            }
            let plan = self.planner.steps(now);
            let kept = self.keep();
            for step in plan.steps {
                self.begin(step, kept.as_ref().err(), running);
            }
            self.observer.states(&states(&self.entries, &self.planner, &self.ledger, now));
            let sleep = match kept {
                Ok(()) => plan.wake.since(now).max(Duration::from_secs(1)).min(self.longest_sleep),
                Err(_) => KEEP_AGAIN,
            };
            tokio::select! {
                Some(outcome) = running.next() => self.end(outcome),
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Begins a step; or fails it at once where the ledger could not be written, since an attempt that
    /// nobody remembers could be made over and over.
    fn begin(&mut self, step: Step, unkept: Option<&Failure>, running: &mut Running) {
        if let (Step::Order { certificate, ca, stage }, Some(failure)) = (&step, unkept) {
            let now = self.now();
            self.planner.failed(*certificate, *ca, *stage, failure.clone(), now);
            return;
        }
        let performer = self.performer.clone();
        match step {
            Step::Order { certificate, ca, stage } => {
                let Some(entry) = self.entries.get(certificate) else { return };
                let directory = self.planner.directory(ca, stage).to_owned();
                let planned = &self.planner.certificates()[certificate];
                let failures = planned.record.failures;
                let issued_by = planned.record.issued_by.as_deref();
                let replaces = issued_by == Some(&directory) && stage == Stage::Real;
                let order = performer.order(entry, directory, stage, failures, replaces);
                if let Some(challenge) = order.challenge() {
                    let about = order.about();
                    self.observer.event(&Event::Trying { about, challenge });
                }
                running.add(step, async move {
                    let result = performer.perform(&order).await;
                    Outcome::Order { certificate, ca, stage, result }
                });
            }
            Step::AskRenewal { certificate } => {
                let current = self.entries.get(certificate).and_then(|entry| entry.current.clone());
                let Some((directory, current)) = self.issued_by(certificate).zip(current) else {
                    return;
                };
                running.add(step, async move {
                    let result = performer.ask_renewal(&directory, &current).await;
                    Outcome::Renewal { certificate, result }
                });
            }
        }
    }

    fn end(&mut self, outcome: Outcome) {
        let now = self.now();
        match outcome {
            Outcome::Order { certificate, ca, stage, result } => {
                let directory = self.planner.directory(ca, stage).to_owned();
                match result {
                    Ok(finished) => {
                        let lifetime = entry::lifetime(&finished.certificate);
                        if stage == Stage::Real {
                            self.serve(certificate, finished);
                        }
                        self.planner.issued(certificate, ca, stage, lifetime, now);
                    }
                    Err(failure) => {
                        self.planner.failed(certificate, ca, stage, failure, now);
                    }
                }
                self.tell_end(certificate, &directory, stage, now);
            }
            Outcome::Renewal { certificate, result } => match result {
                Ok(suggestion) => self.learn_renewal(certificate, suggestion, now),
                Err(failure) => self.learn_nothing(certificate, &failure, now),
            },
        }
    }

    fn learn_renewal(&mut self, certificate: usize, suggestion: Suggestion, now: Moment) {
        let due = |planner: &Planner| planner.certificates().get(certificate)?.due();
        let before = due(&self.planner);
        let Suggestion { window, explanation, again } = suggestion;
        self.planner.renewal_suggested(certificate, window, explanation.clone(), again, now);
        let after = due(&self.planner);
        let brought_forward = |before, after| after < before && after <= now;
        if let Some((before, after)) = before.zip(after)
            && brought_forward(before, after)
        {
            self.tell_brought_forward(certificate, after, explanation.as_deref());
        }
    }

    /// Told once, and not for each of a row of questions that nobody answers.
    fn learn_nothing(&mut self, certificate: usize, failure: &Failure, now: Moment) {
        self.planner.renewal_unknown(certificate, now);
        let record = self.planner.certificates().get(certificate).map(|planned| &planned.record);
        let info = record.and_then(|record| record.renewal_info.as_ref());
        if info.is_some_and(|info| info.failures == 1) {
            self.tell_no_suggestion(certificate, failure);
        }
    }

    pub(super) fn issued_by(&self, certificate: usize) -> Option<String> {
        self.planner.certificates().get(certificate)?.record.issued_by.clone()
    }

    fn keep(&mut self) -> Result<(), Failure> {
        let kept = self.ledger.keep(&self.entries, &self.planner);
        if let Err(failure) = &kept {
            self.not_kept(failure);
        }
        kept
    }
}
