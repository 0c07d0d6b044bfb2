//! The names of upstreams, resolved in the background and again as their time to live ends. Requests
//! read what came of it and never wait for DNS, but for the first answer after a start, and for a fresh
//! one where every address of the last has failed them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use gateway_acme::dns::Resolver;
use gateway_config::model::Host;
use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch};

use super::Upstream;
use super::check::Checked;
use crate::journal;

/// An answer is believed at least and at most so long, whatever its time to live says: some servers
/// say 0, and Docker's says ten minutes for containers that are recreated in seconds.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5);

/// However often requests fail, the name servers are asked about one name no more often than this.
const AGAIN: Duration = Duration::from_millis(250);

/// After a failure the next attempt waits twice as long as the last, within these bounds.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LAST: Duration = Duration::from_secs(15);

type Lookup = Result<(Arc<[IpAddr]>, Duration), String>;

/// What is known about a name. The last good answer outlives failures.
#[derive(Debug, Clone)]
enum Known {
    NotYet,
    Addresses {
        addresses: Arc<[IpAddr]>,
        /// Whether the last lookup failed.
        are_old: bool,
    },
    Nothing {
        reason: String,
    },
}

/// Lookups of one name: how many have been begun, and how many of them have ended.
#[derive(Debug, Clone, Copy, Default)]
struct Lookups {
    begun: u64,
    ended: u64,
}

/// One name that is being resolved.
pub(super) struct Name {
    host: Host,
    known: Mutex<Known>,
    lookups: watch::Sender<Lookups>,
    refresh: Arc<Notify>,
    /// Who has servers of this name.
    followers: Mutex<Vec<Weak<Upstream>>>,
}

impl Name {
    fn new(host: Host) -> Self {
        Self {
            host,
            known: Mutex::new(Known::NotYet),
            lookups: watch::Sender::new(Lookups::default()),
            refresh: Arc::default(),
            followers: Mutex::default(),
        }
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// The addresses that it has now, in order, if any are known.
    pub(super) fn known(&self) -> Option<Arc<[IpAddr]>> {
        match &*self.known.lock() {
            Known::Addresses { addresses, .. } => Some(addresses.clone()),
            Known::NotYet | Known::Nothing { .. } => None,
        }
    }

    /// Why no address is known.
    pub(super) fn why_unknown(&self) -> String {
        match &*self.known.lock() {
            Known::Nothing { reason } => reason.clone(),
            Known::NotYet | Known::Addresses { .. } => "no name server has answered yet".into(),
        }
    }

    /// An upstream wants to be told when the addresses change.
    pub(super) fn follow(&self, follower: Weak<Upstream>) {
        let mut followers = self.followers.lock();
        followers.retain(|known| known.strong_count() > 0);
        followers.push(follower);
    }

    /// Asks for a fresh answer: the last one has just failed somebody.
    pub(super) fn refresh_soon(&self) {
        self.refresh.notify_one();
    }

    /// Waits for the first answer, until `deadline`.
    pub(super) async fn answered(&self, deadline: tokio::time::Instant) {
        self.ended(1, deadline).await;
    }

    /// Asks for a fresh answer; the number of the lookup that gives it. One that is on its way already
    /// may have been answered before whatever made it stale.
    pub(super) fn ask_afresh(&self) -> u64 {
        let next = self.lookups.borrow().begun + 1;
        self.refresh_soon();
        next
    }

    /// Waits for the end of a lookup, until `deadline`.
    pub(super) async fn ended(&self, number: u64, deadline: tokio::time::Instant) {
        let mut lookups = self.lookups.subscribe();
        let ended = lookups.wait_for(|lookups| lookups.ended >= number);
        // Whether it came in time is seen by what is known then.
        drop(tokio::time::timeout_at(deadline, ended).await);
    }

    fn learn(&self, looked_up: Lookup) {
        if self.believe(looked_up) {
            let followers = self.followers.lock().clone();
            followers.iter().filter_map(Weak::upgrade).for_each(|upstream| upstream.regroup());
        }
        // Only now, so that whoever has waited finds the upstream's servers as they are.
        self.lookups.send_modify(|lookups| lookups.ended += 1);
    }

    /// Whether the addresses have changed.
    fn believe(&self, looked_up: Lookup) -> bool {
        let host = &self.host;
        let mut known = self.known.lock();
        match (looked_up, &mut *known) {
            (Ok((fresh, _)), Known::Addresses { addresses, are_old }) if *addresses == fresh => {
                *are_old = false;
                false
            }
            (Ok((fresh, _)), old) => {
                if !matches!(old, Known::NotYet) {
                    let list = fresh.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                    journal::info("resolved", format_args!("{host} is now {list}"), &[]);
                }
                *known = Known::Addresses { addresses: fresh, are_old: false };
                true
            }
            (Err(reason), Known::Addresses { are_old, .. }) => {
                // Said once, however often it is asked for.
                if !std::mem::replace(are_old, true) {
                    let kept = "its last addresses are kept";
                    let what = format_args!("{host} no longer resolves: {reason}; {kept}");
                    journal::warn("unresolved", what, &[]);
                }
                false
            }
            (Err(reason), old) => {
                if matches!(old, Known::NotYet) {
                    let until = "its routes answer 502 until it does";
                    let what = format_args!("{host} does not resolve: {reason}; {until}");
                    journal::warn("unresolved", what, &[]);
                }
                *known = Known::Nothing { reason };
                false
            }
        }
    }
}

/// Resolves a name for as long as somebody has it.
async fn keep_resolved(name: Weak<Name>, resolver: Arc<ArcSwapOption<Resolver>>) {
    let mut retry = RETRY_FIRST;
    loop {
        let Some(name_now) = name.upgrade() else { return };
        let Some(resolver) = resolver.load_full() else { return };
        name_now.lookups.send_modify(|lookups| lookups.begun += 1);
        let looked_up = lookup(&resolver, &name_now.host).await;
        let pause = match &looked_up {
            Ok((_, ttl)) => {
                retry = RETRY_FIRST;
                (*ttl).clamp(SHORTEST, LONGEST)
            }
            Err(_) => {
                retry = (retry * 2).min(RETRY_LAST);
                retry
            }
        };
        name_now.learn(looked_up);
        let refresh = name_now.refresh.clone();
        drop(name_now);
        tokio::time::sleep(AGAIN).await;
        tokio::select! {
            () = tokio::time::sleep(pause.saturating_sub(AGAIN)) => {}
            () = refresh.notified() => {}
        }
    }
}

/// What is done for upstreams in the background, until what it is done for is gone.
pub(super) enum Job {
    Resolve(Weak<Name>),
    Check(Checked),
}

/// Every name of the configuration, and whatever else is done in the background.
pub(crate) struct Names {
    by_host: Mutex<HashMap<Host, Weak<Name>>>,
    jobs: UnboundedSender<Job>,
    waiting: Mutex<Option<UnboundedReceiver<Job>>>,
    resolver: Arc<ArcSwapOption<Resolver>>,
}

impl Default for Names {
    fn default() -> Self {
        let (jobs, waiting) = unbounded_channel();
        let waiting = Mutex::new(Some(waiting));
        Self { by_host: Mutex::default(), jobs, waiting, resolver: Arc::default() }
    }
}

impl Names {
    /// The name, which [`Self::keep_resolved`] looks up from now on.
    pub(super) fn get(&self, host: &Host) -> Arc<Name> {
        let mut names = self.by_host.lock();
        names.retain(|_, name| name.strong_count() > 0);
        if let Some(known) = names.get(host).and_then(Weak::upgrade) {
            return known;
        }
        let name = Arc::new(Name::new(host.clone()));
        names.insert(host.clone(), Arc::downgrade(&name));
        // Before and after `keep_resolved` runs, nobody waits for what it does.
        let _ = self.jobs.send(Job::Resolve(Arc::downgrade(&name)));
        name
    }

    /// Where jobs are given to.
    pub(super) fn jobs(&self) -> UnboundedSender<Job> {
        self.jobs.clone()
    }

    /// Whom to ask from now on.
    pub(crate) fn ask(&self, resolver: Resolver) {
        self.resolver.store(Some(Arc::new(resolver)));
    }

    /// Resolves every name again and again, and checks servers, until dropped. Called once, after
    /// [`Self::ask`].
    pub(crate) async fn keep_resolved(&self) {
        let waiting = self.waiting.lock().take();
        let Some(mut waiting) = waiting else { return std::future::pending().await };
        let mut tasks = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                Some(job) = waiting.recv() => match job {
                    Job::Resolve(name) => tasks.spawn(keep_resolved(name, self.resolver.clone())),
                    Job::Check(checked) => tasks.spawn(checked.keep_checked()),
                },
                Some(_) = tasks.join_next() => continue,
                // Neither can happen while `self` holds a sender; without names there is nothing to do.
                else => return std::future::pending().await,
            };
        }
    }
}

async fn lookup(resolver: &Resolver, host: &Host) -> Lookup {
    let (mut addresses, until) = resolver.addresses_until(host.as_str()).await?;
    // Name servers turn their lists round with every answer.
    addresses.sort_unstable();
    addresses.dedup();
    Ok((addresses.into(), until.saturating_duration_since(Instant::now())))
}
