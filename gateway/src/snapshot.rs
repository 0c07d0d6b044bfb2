//! Everything that a configuration decides, built whole before anybody sees it. A request keeps
//! the snapshot that it began with; a reload publishes another.

mod certificates;
mod error;
mod parts;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use gateway_certs::Slots;
use gateway_config::HostError;
use gateway_config::model::{self, Action, Config, Policy, Redirect, Rewrite};
use rustls::server::ProducesTickets;

use crate::files::Folder;
use crate::guard::{Guard, Guarding};
use crate::headers::response::Rules;
use crate::metrics::{Metrics, RouteMetrics, SiteMetrics};
use crate::policy::limit::Limiter;
use crate::reply::{Answer, ErrorStyle};
use crate::route::{Hosts, Paths, own_length};
use crate::upstream::{Names, Upstream};
use parts::{Material, Parts};

pub(crate) use certificates::Certificates;
pub use error::BuildError;

/// A configuration, ready to serve.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// Never given twice in one process: by it two snapshots are told apart.
    pub(crate) serial: u64,
    pub(crate) server: Arc<model::Server>,
    /// The port of the first TLS listener, for redirects from the plain one.
    pub(crate) https_port: Option<u16>,
    hosts: Arc<Hosts>,
    pub(crate) sites: Arc<[Site]>,
    pub(crate) certificates: Certificates,
    parts: Arc<Parts>,
}

/// One site.
pub(crate) struct Site {
    /// Its label in log and metrics.
    pub(crate) name: String,
    paths: Paths,
    pub(crate) routes: Vec<Route>,
    /// What its clients have to show: a connection on which they showed something else is not for it.
    pub(crate) client_certs: Option<model::ClientCerts>,
    /// Headers and errors of requests that no route takes.
    pub(crate) rules: Rules,
    pub(crate) errors: ErrorStyle,
    metrics: OnceLock<SiteMetrics>,
}

/// One route.
pub(crate) struct Route {
    /// Its label in log and metrics: the pattern.
    pub(crate) name: String,
    pub(crate) policy: Policy,
    pub(crate) rules: Rules,
    pub(crate) errors: ErrorStyle,
    pub(crate) limiters: Vec<Arc<Limiter>>,
    pub(crate) guard: Option<Arc<Guard>>,
    pub(crate) action: Serve,
    pub(crate) metrics: RouteMetrics,
}

/// What a route does, with everything that it needs for it.
pub(crate) enum Serve {
    Proxy {
        upstream: Arc<Upstream>,
        rewrite: Rewrite,
        /// The length of the route's own prefix, which `rewrite = "/new/*"` replaces.
        prefix: usize,
    },
    Respond(Answer),
    Redirect(Redirect),
    Files(Folder),
}

/// What a new snapshot takes over from the process, whatever the configuration says.
pub(crate) struct Lasting {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tickets: Arc<dyn ProducesTickets>,
    /// The names of upstreams, with the addresses that they are known to have.
    pub(crate) names: Arc<Names>,
    /// What sites are served with whose certificates come by ACME.
    pub(crate) slots: Slots,
    /// What guards remember.
    pub(crate) guarding: Arc<Guarding>,
}

/// The next [`Snapshot::serial`].
static NEXT_SERIAL: AtomicU64 = AtomicU64::new(0);

impl Snapshot {
    /// Builds what `config` says. Upstreams and limits that are what they were before go on with the
    /// connections and counters that they have.
    ///
    /// # Errors
    /// [`BuildError`]; nothing has been published then.
    pub(crate) fn build(
        config: &Config,
        lasting: &Lasting,
        before: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let certificates = Certificates::build(config, lasting)?;
        let parts = Parts::build(config, lasting, before.map(|before| &*before.parts))?;
        let material = Material::read(config, lasting, &parts)?;
        let sites = config.sites.iter().map(|site| Site::build(site, &material)).collect();
        Ok(Self {
            serial: NEXT_SERIAL.fetch_add(1, Relaxed),
            server: Arc::new(config.server.clone()),
            https_port: None,
            hosts: Arc::new(Hosts::of(&config.sites)),
            sites,
            certificates,
            parts: Arc::new(parts),
        })
    }

    /// The same, with certificates that have been loaded or made anew.
    ///
    /// # Errors
    /// [`BuildError`]; the old ones stay good for as long as they are.
    pub(crate) fn renewed(&self, config: &Config, lasting: &Lasting) -> Result<Self, BuildError> {
        let certificates = Certificates::build(config, lasting)?;
        Ok(Self { serial: NEXT_SERIAL.fetch_add(1, Relaxed), certificates, ..self.clone() })
    }

    /// Tells the metrics which upstreams there are and when the sites' certificates end. `before` has
    /// been served until now: what it said of sites that are gone is taken back.
    pub(crate) fn announce(&self, metrics: &Metrics, before: Option<&Self>) {
        for site in before.iter().flat_map(|before| before.sites.iter()) {
            if self.site_named(&site.name, 0).is_none() {
                metrics.forget_site(&site.name);
            }
        }
        for (name, old) in before.iter().flat_map(|before| &before.parts.upstreams) {
            if !self.parts.upstreams.get(name).is_some_and(|kept| Arc::ptr_eq(kept, old)) {
                old.hide();
            }
        }
        self.parts.upstreams.values().for_each(|upstream| upstream.show());
        let mut ends = HashMap::<usize, SystemTime>::new();
        for facts in self.certificates.facts.iter() {
            let end = ends.entry(facts.site).or_insert(facts.not_after);
            *end = facts.not_after.min(*end);
        }
        for (site, end) in ends {
            let Some(site) = self.sites.get(site) else { continue };
            let seconds = end.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let gauge = metrics.certificate_not_after.with_label_values(&[&site.name]);
            gauge.set(seconds.as_secs_f64());
        }
    }

    /// Where the site with this name stands, which is `likely` where nothing was added or removed.
    pub(crate) fn site_named(&self, name: &str, likely: usize) -> Option<usize> {
        let is_meant = |site: &Site| site.name == name;
        if self.sites.get(likely).is_some_and(is_meant) {
            return Some(likely);
        }
        self.sites.iter().position(is_meant)
    }

    /// What a site's clients are verified against, by a number; none where they need no certificate.
    pub(crate) fn clients_version(&self, site: usize) -> Option<u64> {
        self.certificates.for_clients.get(&site).map(|own| own.version)
    }

    /// The site that answers to a host.
    pub(crate) fn site_of(&self, host: &model::Host) -> Option<usize> {
        self.hosts.find(host)
    }

    /// The site that answers to a host as a request names it.
    ///
    /// # Errors
    /// [`HostError`], where it is not a host.
    pub(crate) fn site_asked_for(&self, authority: &str) -> Result<Option<usize>, HostError> {
        self.hosts.find_authority(authority)
    }

    /// Whether connections from `peer` are counted against the cap of one client.
    pub(crate) fn counted_as(&self, peer: IpAddr) -> Option<IpAddr> {
        (!crate::client::is_trusted(&self.server.trusted_proxies, peer)).then_some(peer)
    }
}

impl Site {
    fn build(site: &model::Site, material: &Material<'_>) -> Self {
        let (mut paths, mut routes) = (Paths::default(), Vec::new());
        for route in &site.routes {
            if let Some(built) = Route::build(route, material) {
                paths.add(&route.path, routes.len());
                routes.push(built);
            }
        }
        Self {
            name: site.name.to_string(),
            paths,
            routes,
            client_certs: site.client_certs.clone(),
            rules: Rules::of(&site.policy),
            errors: material.pages.style(&site.policy),
            metrics: OnceLock::new(),
        }
    }

    /// The route that takes a normalised path.
    pub(crate) fn route_of(&self, path: &str) -> Option<&Route> {
        self.paths.find(path).and_then(|index| self.routes.get(index))
    }

    pub(crate) fn metrics(&self, metrics: &Metrics) -> &SiteMetrics {
        self.metrics.get_or_init(|| SiteMetrics::new(metrics, &self.name))
    }
}

impl Route {
    /// `None` only for an upstream or limit that the configuration does not list, which it does not
    /// let happen.
    fn build(route: &model::Route, material: &Material<'_>) -> Option<Self> {
        let Material { parts, pages, guards } = material;
        let action = match &route.action {
            Action::Proxy(target) => Serve::Proxy {
                upstream: parts.upstreams.get(&target.upstream.name)?.clone(),
                rewrite: target.rewrite.clone(),
                prefix: own_length(&route.path),
            },
            Action::Respond(respond) => Serve::Respond(Answer::fixed(respond)),
            Action::Redirect(redirect) => Serve::Redirect(redirect.clone()),
            Action::Files(files) => Serve::Files(Folder::new(files, &route.path)),
        };
        let limiters = route.policy.limits.iter();
        Some(Self {
            name: route.path.to_string(),
            policy: route.policy.clone(),
            rules: Rules::of(&route.policy),
            errors: pages.style(&route.policy),
            limiters: limiters
                .filter_map(|limit| parts.limiters.get(&limit.name))
                .map(|(_, limiter)| limiter.clone())
                .collect(),
            guard: guards.of(route),
            action,
            metrics: RouteMetrics::new(),
        })
    }
}
