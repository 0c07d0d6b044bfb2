//! The names of upstreams, resolved in the background and again as their time to live ends. Requests
//! read the last answer and never wait for DNS, but for the first answer after a start.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_acme::dns::Resolver;
use gateway_config::model::{Endpoint, Host, Upstream};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::journal;

/// An answer is believed at least and at most so long, whatever its time to live says: some servers
/// say 0, and Docker's says ten minutes for containers that are recreated in seconds.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);

/// After a failure the next attempt waits twice as long as the last, within these bounds.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LAST: Duration = Duration::from_secs(15);

type Lookup = Result<(Arc<[IpAddr]>, Duration), String>;

/// What is known about a name. The last good answer outlives failures.
#[derive(Debug, Clone)]
enum Known {
    NotYet,
    Addresses(Arc<[IpAddr]>),
    Nothing { reason: String },
}

/// One name that is being resolved.
pub(crate) struct Name {
    host: Host,
    known: watch::Sender<Known>,
    refresh: Notify,
}

impl Name {
    fn new(host: Host) -> Self {
        Self { host, known: watch::Sender::new(Known::NotYet), refresh: Notify::new() }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// The addresses that it has now, if any are known.
    pub(crate) fn known(&self) -> Option<Arc<[IpAddr]>> {
        match &*self.known.borrow() {
            Known::Addresses(addresses) => Some(addresses.clone()),
            Known::NotYet | Known::Nothing { .. } => None,
        }
    }

    /// Its addresses; before the first answer, waits for that until `deadline`.
    pub(crate) async fn addresses(
        &self,
        deadline: tokio::time::Instant,
    ) -> Result<Arc<[IpAddr]>, String> {
        let mut known = self.known.subscribe();
        let answered = known.wait_for(|known| !matches!(known, Known::NotYet));
        match tokio::time::timeout_at(deadline, answered).await {
            Ok(Ok(answer)) => match &*answer {
                Known::Addresses(addresses) => Ok(addresses.clone()),
                Known::Nothing { reason } => Err(reason.clone()),
                Known::NotYet => Err("it has not been looked up yet".into()),
            },
            _ => Err("no name server has answered yet".into()),
        }
    }

    /// Asks for a fresh answer: the last one has just failed somebody.
    pub(crate) fn refresh_soon(&self) {
        self.refresh.notify_one();
    }

    async fn keep_resolved(self: Arc<Self>, resolver: Arc<Resolver>) {
        let mut retry = RETRY_FIRST;
        loop {
            let looked_up = lookup(&resolver, &self.host).await;
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
            self.learn(looked_up);
            // However often requests fail, the name servers are asked once a second at most.
            tokio::time::sleep(pause.min(SHORTEST)).await;
            tokio::select! {
                () = tokio::time::sleep(pause.saturating_sub(SHORTEST)) => {}
                () = self.refresh.notified() => {}
            }
        }
    }

    fn learn(&self, looked_up: Lookup) {
        let host = &self.host;
        self.known.send_if_modified(|known| match (looked_up, &*known) {
            (Ok((fresh, _)), Known::Addresses(old)) if *old == fresh => false,
            (Ok((fresh, _)), old) => {
                if !matches!(old, Known::NotYet) {
                    let list = fresh.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                    journal::info("resolved", format_args!("{host} is now {list}"), &[]);
                }
                *known = Known::Addresses(fresh);
                true
            }
            (Err(reason), Known::Addresses(_)) => {
                let kept = "its last addresses are kept";
                journal::warn(
                    "unresolved",
                    format_args!("{host} no longer resolves: {reason}; {kept}"),
                    &[],
                );
                false
            }
            (Err(reason), old) => {
                if matches!(old, Known::NotYet) {
                    let until = "its routes answer 502 until it does";
                    journal::warn(
                        "unresolved",
                        format_args!("{host} does not resolve: {reason}; {until}"),
                        &[],
                    );
                }
                *known = Known::Nothing { reason };
                true
            }
        });
    }
}

/// Every name of the configuration.
#[derive(Default)]
pub(crate) struct Names {
    by_host: Mutex<HashMap<Host, Arc<Name>>>,
}

impl Names {
    /// The name, which from now on [`Self::keep_resolved`] knows.
    pub(super) fn get(&self, host: &Host) -> Arc<Name> {
        let mut names = self.by_host.lock();
        names.entry(host.clone()).or_insert_with(|| Arc::new(Name::new(host.clone()))).clone()
    }

    /// Forgets every other name: no upstream has it any more.
    pub(crate) fn keep_only(&self, upstreams: &[Arc<Upstream>]) {
        let endpoints = upstreams.iter().flat_map(|upstream| &upstream.servers);
        let hosts: HashSet<&Host> = endpoints
            .filter_map(|endpoint| match endpoint {
                Endpoint::Name { host, .. } => Some(host),
                Endpoint::Addr(_) | Endpoint::Unix(_) => None,
            })
            .collect();
        self.by_host.lock().retain(|host, _| hosts.contains(host));
    }

    /// Resolves every name again and again, until dropped.
    pub(crate) async fn keep_resolved(&self, resolver: Arc<Resolver>) {
        let names: Vec<_> = self.by_host.lock().values().cloned().collect();
        let mut tasks = tokio::task::JoinSet::new();
        for name in names {
            tasks.spawn(name.keep_resolved(resolver.clone()));
        }
        while tasks.join_next().await.is_some() {}
        // Without names there is nothing to do, which takes for ever.
        std::future::pending().await
    }
}

async fn lookup(resolver: &Resolver, host: &Host) -> Lookup {
    let (addresses, until) = resolver.addresses_until(host.as_str()).await?;
    Ok((addresses.into(), until.saturating_duration_since(Instant::now())))
}
