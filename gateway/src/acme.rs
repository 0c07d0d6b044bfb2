//! Certificates that come by ACME: what of it stands in this process. [`gateway_acme`] does the work,
//! on a thread of its own, for it writes to disk; here is what it is given and whom it tells.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use gateway_acme::storage::Disk;
use gateway_acme::{
    Clock, Event, Keeper, KeeperError, LONGEST_SLEEP, Moment, Observer, Responder, Settings, State,
    Urgency, Wanted,
};
use gateway_certs::Slots;
use gateway_config::model::{ChallengeKind, Config};

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

/// Runs the keeper until the gateway stops.
///
/// # Errors
/// Where the system gives no thread or event queue.
pub(crate) fn start(keeper: Keeper, stop: Stop) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("acme".into()).spawn(move || {
        runtime.block_on(keeper.run(async move { stop.reached(Stage::Draining).await }));
    })
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
