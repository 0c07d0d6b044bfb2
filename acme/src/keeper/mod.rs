//! Keeps every wanted certificate: has it issued, renews it, and says what happens.
//!
//! What is to be done is decided in [`plan`](crate::plan), and done here: [`Keeper::run`] asks for
//! steps, takes them at the same time, and tells the plan what came of them. Before a step is taken,
//! it stands in the ledger on disk.

mod entry;
mod event;
mod ledger;
mod perform;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway_certs::Certificate;
use gateway_config::model::{Acme, ChallengeKind};
use tokio::task::{JoinSet, LocalSet};

use crate::dns::{DnsError, Lookout, Provider};
use crate::doctor::{self, Password};
use crate::failure::Failure;
use crate::moment::Moment;
use crate::plan::{Planner, Stage, Step};
use crate::responder::Responder;
use crate::storage::{Lease, Storage, StorageError};

pub use entry::Wanted;
pub use event::{About, Event, Observer, Urgency};
pub use state::State;

use entry::Entry;
use ledger::Ledger;
use perform::{Outcome, Performer};

/// How often a process looks that does not have the lock whether it can have it, and what the one
/// that has it has won.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What [`Settings::longest_sleep`] usually is.
pub const LONGEST_SLEEP: Duration = Duration::from_secs(300);

/// How soon something is tried again that could not be kept.
const KEEP_AGAIN: Duration = Duration::from_secs(30);

/// Where the time comes from: this machine's clock, or a test's own.
#[derive(Clone)]
pub struct Clock(pub Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(SystemTime::now))
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// What a keeper is made of.
#[derive(Debug)]
pub struct Settings {
    /// `[acme]`.
    pub acme: Acme,
    /// The challenges that the listeners make possible, besides `dns-01`.
    pub listeners: Vec<ChallengeKind>,
    /// Name servers; those of the system where empty.
    pub nameservers: Vec<SocketAddr>,
    /// Every certificate that is wanted.
    pub wanted: Vec<Wanted>,
    /// What time it is.
    pub clock: Clock,
    /// The longest sleep: a clock that jumps is noticed within it.
    pub longest_sleep: Duration,
}

/// Why there is no keeper.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// Nothing can be kept.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The DNS provider can never work.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// The client for a CA cannot be made.
    #[error(transparent)]
    Https(#[from] crate::https::HttpsError),
}

/// Keeps certificates.
pub struct Keeper {
    entries: Vec<Entry>,
    planner: Planner,
    ledger: Ledger,
    performer: Arc<Performer>,
    responder: Arc<Responder>,
    observer: Arc<dyn Observer>,
    told_skew: i64,
    longest_sleep: Duration,
}

impl Keeper {
    /// Reads what was won before and puts it where it is served from. What is damaged is moved aside
    /// and will be won again.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub fn open(
        settings: Settings,
        storage: Arc<dyn Storage>,
        responder: Arc<Responder>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, KeeperError> {
        let dns = match &settings.acme.dns {
            Some(dns) => Some((
                Provider::new(dns, &settings.nameservers)?,
                Lookout::new(&settings.nameservers),
            )),
            None => None,
        };
        let performer = Performer::new(&settings, storage.clone(), responder.clone(), dns)?;
        let mut entries: Vec<_> = settings.wanted.into_iter().flat_map(Wanted::entries).collect();
        let ledger = Ledger::new(storage);
        let now = Moment::from(performer.now());
        let planner = ledger.load(&mut entries, &settings.acme, Some(&*observer), now)?;
        let keeper = Self {
            entries,
            planner,
            ledger,
            performer: Arc::new(performer),
            responder,
            observer,
            told_skew: 0,
            longest_sleep: settings.longest_sleep,
        };
        keeper.serve_all();
        keeper.lend(now)?;
        keeper.load_password();
        Ok(keeper)
    }

    /// How things stand, from what is kept: for whoever only looks, and touches nothing.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn look(
        acme: &Acme,
        wanted: Vec<Wanted>,
        storage: Arc<dyn Storage>,
        now: SystemTime,
    ) -> Result<Vec<State>, StorageError> {
        let mut entries: Vec<_> = wanted.into_iter().flat_map(Wanted::entries).collect();
        let ledger = Ledger::new(storage);
        let now = Moment::from(now);
        let planner = ledger.load(&mut entries, acme, None, now)?;
        Ok(states(&entries, &planner, &ledger, now))
    }

    /// What these may be served with: their own certificates, whatever they are worth by now, and
    /// every other that is valid, since it may be lent to them.
    pub(crate) fn kept(wanted: Vec<Wanted>, storage: Arc<dyn Storage>) -> Vec<Arc<Certificate>> {
        let own = wanted.into_iter().flat_map(Wanted::entries).filter_map(|mut entry| {
            entry.load(&*storage).ok()?;
            entry.current
        });
        let mut all: Vec<_> = own.collect();
        let now = Moment::from(SystemTime::now());
        all.extend(Ledger::new(storage).all_valid(now).unwrap_or_default());
        all
    }

    /// Looks after the certificates until `stop` is over. Where another process does so already, this
    /// one serves what that one wins, and waits.
    ///
    /// To be awaited on a runtime that does nothing else: it writes to disk.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let work = async {
            let _lease = self.wait_for_lease().await;
            self.performer.contact_first().await;
            self.work().await;
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
                    self.reload();
                    self.make_password();
                    return lease;
                }
                Ok(None) if !told => self.observer.event(&Event::AnotherProcess),
                Ok(None) => {}
                Err(error) => self.not_kept(&crate::authority::local(error)),
            }
            told = true;
            tokio::time::sleep(LOOK_AGAIN).await;
            self.reload();
        }
    }

    fn reload(&mut self) {
        let acme = self.performer.acme();
        let now = self.now();
        match self.ledger.load(&mut self.entries, acme, Some(&*self.observer), now) {
            Ok(planner) => self.planner = planner,
            Err(error) => return self.not_kept(&crate::authority::local(error)),
        }
        self.serve_all();
        self.load_password();
    }

    /// What the doctor is known by. A damaged one counts as none.
    fn load_password(&self) {
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

    async fn work(&mut self) {
        let mut running = JoinSet::new();
        loop {
            self.tell_skew();
            let now = self.now();
            self.performer.tell_plan(&mut self.planner);
            let plan = self.planner.steps(now);
            let kept = self.keep();
            for step in plan.steps {
                self.begin(step, kept.as_ref().err(), &mut running);
            }
            self.observer.states(&states(&self.entries, &self.planner, &self.ledger, now));
            let sleep = match kept {
                Ok(()) => plan.wake.since(now).max(Duration::from_secs(1)).min(self.longest_sleep),
                Err(_) => KEEP_AGAIN,
            };
            tokio::select! {
                Some(outcome) = running.join_next() => {
                    if let Ok(outcome) = outcome {
                        self.end(outcome);
                    }
                }
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Begins a step; or fails it at once where the ledger could not be written, since an attempt that
    /// nobody remembers could be made over and over.
    fn begin(&mut self, step: Step, unkept: Option<&Failure>, running: &mut JoinSet<Outcome>) {
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
                running.spawn_local(async move {
                    let result = performer.perform(&order).await;
                    Outcome::Order { certificate, ca, stage, result }
                });
            }
            Step::AskRenewal { certificate } => {
                let Some(entry) = self.entries.get(certificate) else { return };
                let record = &self.planner.certificates()[certificate].record;
                let directory = record.issued_by.clone().unwrap_or_default();
                let current = entry.current.clone();
                running.spawn_local(async move {
                    let result = performer.ask_renewal(&directory, current.as_deref()).await;
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
                Some(info) => self.learn_renewal(certificate, info, now),
                None => self.planner.renewal_unknown(certificate, now),
            },
        }
    }

    fn learn_renewal(&mut self, certificate: usize, info: perform::Suggested, now: Moment) {
        let due = |planner: &Planner| planner.certificates().get(certificate)?.due();
        let before = due(&self.planner);
        let explanation = info.explanation.clone();
        self.planner.renewal_suggested(certificate, info.window, info.explanation, info.again, now);
        let after = due(&self.planner);
        if let (Some(before), Some(after), Some(entry)) =
            (before, after, self.entries.get(certificate))
            && after < before
            && after <= now
        {
            let (hosts, directory) = (entry.names(), info.directory);
            let about = About {
                site: &entry.site,
                hosts: &hosts,
                directory: &directory,
                stage: Stage::Real,
            };
            let explanation = explanation.as_deref();
            self.observer.event(&Event::BroughtForward { about, due: after, explanation });
        }
    }

    fn tell_end(&self, certificate: usize, directory: &str, stage: Stage, now: Moment) {
        let (Some(entry), Some(planned)) =
            (self.entries.get(certificate), self.planner.certificates().get(certificate))
        else {
            return;
        };
        let hosts = entry.names();
        let about = About { site: &entry.site, hosts: &hosts, directory, stage };
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
        self.observer.event(&event);
    }

    /// Serves a certificate that was just issued, and keeps it. Where it cannot be kept it is served
    /// all the same, and kept later.
    fn serve(&mut self, certificate: usize, finished: crate::authority::Finished) {
        let Some(entry) = self.entries.get_mut(certificate) else { return };
        entry.current = Some(finished.certificate);
        self.ledger.add_bundle(
            entry.bundle_key(),
            format!("{}.order.json", entry.id),
            finished.bundle,
        );
        let slot = entry.slot.clone();
        self.serve_slot(&slot);
    }

    fn serve_all(&self) {
        for entry in &self.entries {
            self.serve_slot(&entry.slot);
        }
    }

    /// Where hosts have no certificate of their own yet, others that are kept may cover some of them:
    /// those of the site before it got another alias. They are better than the local CA's.
    fn lend(&self, now: Moment) -> Result<(), StorageError> {
        let wanting = || self.entries.iter().filter(|entry| entry.slot.wants_better());
        if wanting().next().is_none() {
            return Ok(());
        }
        let all = self.ledger.all_valid(now)?;
        for entry in wanting() {
            let covers = |certificate: &&Arc<gateway_certs::Certificate>| {
                entry.hosts.iter().any(|host| certificate.covers(host))
            };
            let lent: Vec<_> = all.iter().filter(covers).cloned().collect();
            if !lent.is_empty() {
                entry.slot.lend(lent);
            }
        }
        Ok(())
    }

    /// Puts into a slot what belongs there: certificates of each kind of key. One that has ended is
    /// better than none of ours, since some clients go on.
    fn serve_slot(&self, slot: &Arc<gateway_certs::Slot>) {
        let of_slot = self.entries.iter().filter(|entry| Arc::ptr_eq(&entry.slot, slot));
        let current: Vec<_> = of_slot.filter_map(|entry| entry.current.clone()).collect();
        if !current.is_empty() {
            slot.store(current);
        }
    }

    fn keep(&mut self) -> Result<(), Failure> {
        let kept = self.ledger.keep(&self.entries, &self.planner);
        if let Err(failure) = &kept {
            self.not_kept(failure);
        }
        kept
    }

    fn not_kept(&self, failure: &Failure) {
        self.observer.event(&Event::NotKept { failure });
    }

    fn tell_skew(&mut self) {
        let seconds = self.performer.skew_seconds();
        if seconds.abs_diff(self.told_skew) > 60 {
            self.told_skew = seconds;
            self.observer.event(&Event::ClockIsWrong { seconds });
        }
    }

    fn now(&self) -> Moment {
        Moment::from(self.performer.now())
    }
}

fn states(entries: &[Entry], planner: &Planner, ledger: &Ledger, now: Moment) -> Vec<State> {
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
        }
    })
    .collect()
}
