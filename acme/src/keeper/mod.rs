//! Keeps every wanted certificate: has it issued, renews it, and says what happens.
//!
//! What is to be done is decided in [`plan`](crate::plan), and done here: [`Keeper::run`] asks for
//! steps, takes them at the same time, and tells the plan what came of them. Before a step is taken,
//! it stands in the ledger on disk.
//!
//! The way of a step: `run` begins it, `perform` takes it, `serve` puts what was won where handshakes
//! find it, `ledger` keeps it, `tell` says so.

mod authorities;
mod by_hand;
mod entry;
mod event;
mod ledger;
mod mark;
mod perform;
mod run;
mod serve;
mod state;
mod tell;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway_certs::Certificate;
use gateway_config::model::{Acme, ChallengeKind};

use crate::dns::{DnsError, Lookout, Provider};
use crate::moment::Moment;
use crate::plan::Planner;
use crate::responder::Responder;
use crate::storage::{Storage, StorageError};

pub use authorities::{Account, Authority, DirectoryFacts};
pub use by_hand::{ByHand, ByHandError, Reason, Revoked};
pub use entry::Wanted;
pub use event::{About, Event, Observer, Urgency};
pub use state::{State, Waiting};

use entry::Entry;
use ledger::Ledger;
use perform::Performer;
use tell::states;

/// How often a process looks that does not have the lock whether it can have it, and what the one
/// that has it has won.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What [`Settings::longest_sleep`] usually is.
pub const LONGEST_SLEEP: Duration = Duration::from_secs(30);

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
    /// The longest sleep: a clock that jumps, or a certificate that was revoked by hand, is noticed
    /// within it.
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
    /// Reads what was won before and puts it where it is served from. Nothing is changed yet: that is
    /// for whoever holds the lock, in [`Keeper::run`].
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
        let planner = ledger.load(&mut entries, &settings.acme, None, now)?;
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

    fn now(&self) -> Moment {
        Moment::from(self.performer.now())
    }
}
