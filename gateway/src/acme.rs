//! Certificates that come by ACME: what of it stands in this process. [`gateway_acme`] does the work,
//! on a thread of its own, for it writes to disk; here is what it is given and whom it tells.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use gateway_acme::storage::Disk;
use gateway_acme::{
    Clock, Event, Keeper, KeeperError, LONGEST_SLEEP, Moment, Observer, Responder, Settings, State,
    Urgency, Wanted,
};
use gateway_certs::Slots;
use gateway_config::model::{self, AcmeCertificate, ChallengeKind, Config, HostPattern};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::journal;
use crate::metrics::AcmeMetrics;
use crate::stop::{Stage, Stop};

/// Every certificate that the configuration wants to come by ACME.
pub(crate) fn wanted(config: &Config, slots: &Slots) -> Vec<Wanted> {
    let of_site = |site: &gateway_config::model::Site| {
        let certificate = site.acme().cloned();
        let wanted = |hosts: Vec<_>| {
            let slot = slots.of(&hosts);
            let (site, certificate) = (site.name.to_string(), certificate.clone()?);
            Some(Wanted { site, hosts, certificate, slot })
        };
        site.acme_groups().into_iter().filter_map(wanted).collect::<Vec<_>>()
    };
    config.sites.iter().flat_map(of_site).collect()
}

/// Reads what was won before into the slots; `None` where no site wants any of it.
///
/// # Errors
/// [`KeeperError`].
pub(crate) fn open(
    config: &Config,
    slots: &Slots,
    responder: &Arc<Responder>,
    metrics: AcmeMetrics,
) -> Result<Option<Keeper>, KeeperError> {
    let settings = settings(config, slots);
    if settings.wanted.is_empty() {
        return Ok(None);
    }
    let storage = Arc::new(Disk::open(&config.server.storage)?);
    Keeper::open(settings, storage, responder.clone(), Arc::new(Telling(metrics))).map(Some)
}

/// What a configuration means for a keeper.
pub(crate) fn settings(config: &Config, slots: &Slots) -> Settings {
    let server = &config.server;
    let listeners = [
        (ChallengeKind::TlsAlpn01, !server.https.is_empty()),
        (ChallengeKind::Http01, !server.http.is_empty()),
    ];
    Settings {
        acme: config.acme.clone(),
        listeners: listeners.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind).collect(),
        nameservers: server.dns.clone(),
        wanted: wanted(config, slots),
        clock: Clock::default(),
        longest_sleep: LONGEST_SLEEP,
    }
}

/// What a keeper is opened for: where a reload changes none of it, the keeper stays.
#[derive(Debug, Clone, PartialEq)]
struct Purpose {
    acme: model::Acme,
    plain: bool,
    nameservers: Vec<SocketAddr>,
    wanted: Vec<(String, Vec<Vec<HostPattern>>, AcmeCertificate)>,
}

impl Purpose {
    fn of(config: &Config) -> Self {
        let of_site = |site: &model::Site| {
            Some((site.name.to_string(), site.acme_groups(), site.acme()?.clone()))
        };
        Self {
            acme: config.acme.clone(),
            plain: !config.server.http.is_empty(),
            nameservers: config.server.dns.clone(),
            wanted: config.sites.iter().filter_map(of_site).collect(),
        }
    }
}

/// Who is to keep certificates from now on; nobody where no site wants any of it.
pub(crate) struct Successor {
    purpose: Purpose,
    keeper: Option<Keeper>,
}

impl Successor {
    pub(crate) fn new(config: &Config, keeper: Option<Keeper>) -> Self {
        Self { purpose: Purpose::of(config), keeper }
    }
}

/// The thread on which certificates are kept, from when a site first wants them.
pub(crate) struct Keeping {
    purpose: Purpose,
    stop: Stop,
    thread: Option<(JoinHandle<()>, UnboundedSender<Option<Keeper>>)>,
}

impl Keeping {
    /// Nobody keeps anything yet.
    pub(crate) fn new(config: &Config, stop: Stop) -> Self {
        Self { purpose: Purpose::of(config), stop, thread: None }
    }

    /// Whether another configuration takes another keeper.
    pub(crate) fn wants_other(&self, config: &Config) -> bool {
        self.purpose != Purpose::of(config)
    }

    /// Starts the thread, where it will be needed and is not there.
    ///
    /// # Errors
    /// Where the system gives no thread or event queue.
    pub(crate) fn prepare(&mut self, needed: bool) -> io::Result<()> {
        if !needed || self.thread.is_some() {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (keepers, next) = unbounded_channel();
        let stop = self.stop.clone();
        let thread = std::thread::Builder::new().name("acme".into());
        let thread = thread.spawn(move || runtime.block_on(keep(next, stop)))?;
        self.thread = Some((thread, keepers));
        Ok(())
    }

    /// Has this one keep certificates from now on.
    pub(crate) fn hand_over(&mut self, Successor { purpose, keeper }: Successor) {
        self.purpose = purpose;
        if let Some((_, keepers)) = &self.thread {
            // Where the thread has ended, so does the gateway.
            drop(keepers.send(keeper));
        }
    }

    /// The thread, to be waited for.
    pub(crate) fn into_thread(self) -> Option<JoinHandle<()>> {
        self.thread.map(|(thread, _)| thread)
    }
}

/// Runs one keeper after the other, until the gateway stops.
async fn keep(mut next: UnboundedReceiver<Option<Keeper>>, stop: Stop) {
    let mut newest = None;
    loop {
        let stopped = stop.reached(Stage::Draining);
        let replaced = async {
            match next.recv().await {
                Some(keeper) => keeper,
                // Nobody can replace it any more.
                None => std::future::pending().await,
            }
        };
        newest = match newest {
            None => tokio::select! {
                () = stopped => return,
                keeper = replaced => keeper,
            },
            Some(keeper) => run_until_replaced(keeper, stopped, replaced).await,
        };
        if stop.stage() > Stage::Running {
            return;
        }
        // Of several that came meanwhile, the last counts.
        while let Ok(newer) = next.try_recv() {
            newest = newer;
        }
    }
}

async fn run_until_replaced(
    keeper: Keeper,
    stopped: impl Future<Output = ()>,
    replaced: impl Future<Output = Option<Keeper>>,
) -> Option<Keeper> {
    let mut successor = None;
    let replaced = async { successor = replaced.await };
    keeper.run_until_replaced(stopped, replaced).await;
    successor
}

/// Tells the log and the metrics.
struct Telling(AcmeMetrics);

impl Observer for Telling {
    fn event(&self, event: &Event<'_>) {
        let mut fields: Vec<(&str, &dyn std::fmt::Display)> = Vec::new();
        let about = event.about();
        if let Some(about) = &about {
            fields.push(("site", &about.site));
            fields.push(("directory", &about.directory));
        }
        let blame =
            if let Event::Failed { failure, .. } = event { failure.blame.label() } else { "" };
        if !blame.is_empty() {
            fields.push(("blame", &blame));
        }
        let write = match event.urgency() {
            Urgency::Ordinary => journal::info,
            Urgency::Notable => journal::warn,
            Urgency::Trouble => journal::error,
        };
        write(event.name(), event, &fields);
        self.0.count(event);
    }

    fn states(&self, states: &[State]) {
        let attempts = states.iter().map(|state| (state.site.as_str(), state.next_attempt));
        for (site, next) in earliest(attempts) {
            self.0.set_next_attempt(site, next.0);
        }
        let ends = states
            .iter()
            .filter_map(|state| Some((state.site.as_str(), state.lifetime?.not_after)));
        for (site, end) in earliest(ends) {
            self.0.set_not_after(site, end.0);
        }
    }
}

/// A site may have several certificates: the earliest moment of each is what counts.
fn earliest<'a>(moments: impl Iterator<Item = (&'a str, Moment)>) -> HashMap<&'a str, Moment> {
    let mut sites = HashMap::new();
    for (site, moment) in moments {
        let earliest = sites.entry(site).or_insert(moment);
        *earliest = moment.min(*earliest);
    }
    sites
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_that_ends_first_is_the_one_to_worry_about() {
        let moments = [("a", 5), ("b", 9), ("a", 3), ("a", 4)].map(|(site, at)| (site, Moment(at)));
        let sites = earliest(moments.into_iter());
        assert_eq!((sites["a"], sites["b"]), (Moment(3), Moment(9)));
    }
}
