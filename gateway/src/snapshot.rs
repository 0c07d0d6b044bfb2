//! Everything that a configuration decides, built whole before anybody sees it. A connection keeps
//! the snapshot that it began with; a reload publishes another.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use gateway_certs::{CertStore, CertificateFacts, LocalCa, Slot, Slots};
use gateway_config::HostError;
use gateway_config::model::{self, Action, CertificateFiles, Config, Policy, Redirect, Rewrite};
use rustls::server::ProducesTickets;
use rustls::{ClientConfig, ServerConfig};

use crate::headers::response::Rules;
use crate::metrics::{Metrics, RouteMetrics, SiteMetrics, UpstreamMetrics};
use crate::policy::limit::Limiter;
use crate::reply::Answer;
use crate::route::{Hosts, Paths, own_length};
use crate::upstream::{Names, StickyError, StickyKey, TlsError, Tools, Upstream, client_config};

/// A configuration, ready to serve.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) server: Arc<model::Server>,
    hosts: Arc<Hosts>,
    pub(crate) sites: Arc<[Site]>,
    pub(crate) names: Arc<Names>,
    pub(crate) certificates: Certificates,
}

/// The part of a snapshot that time wears out.
#[derive(Clone)]
pub(crate) struct Certificates {
    pub(crate) store: Arc<CertStore>,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) local_ca: Option<Arc<LocalCa>>,
    pub(crate) facts: Arc<[CertificateFacts]>,
    /// The places of certificates that come by ACME, with the hosts that each is for.
    pub(crate) live: Arc<[(String, Arc<Slot>)]>,
    /// When the first certificate of the local CA is to be made anew.
    pub(crate) renew_at: Option<SystemTime>,
}

/// One site.
pub(crate) struct Site {
    /// Its label in log and metrics.
    pub(crate) name: String,
    paths: Paths,
    pub(crate) routes: Vec<Route>,
    metrics: OnceLock<SiteMetrics>,
}

/// One route.
pub(crate) struct Route {
    /// Its label in log and metrics: the pattern.
    pub(crate) name: String,
    pub(crate) policy: Policy,
    pub(crate) rules: Rules,
    pub(crate) limiters: Vec<Arc<Limiter>>,
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
}

/// Why a configuration that reads well cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Certificates are missing, broken, or do not cover their sites: all of them at once.
    #[error("{}", lines(.0))]
    Certificates(Vec<gateway_certs::CertProblem>),
    /// An upstream could never be verified.
    #[error("upstream `{upstream}`: {source}")]
    UpstreamTls {
        /// Its name.
        upstream: String,
        /// Why.
        source: TlsError,
    },
    /// Clients cannot be kept with their servers.
    #[error(transparent)]
    Sticky(#[from] StickyError),
    /// Certificates cannot come by ACME, for reasons that lie in this machine.
    #[error("certificates cannot come by ACME: {0}")]
    Acme(#[from] gateway_acme::KeeperError),
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The metrics contradict each other: a mistake in the gateway.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] prometheus::Error),
}

fn lines(problems: &[gateway_certs::CertProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What a new snapshot takes over from the process, whatever the configuration says.
pub(crate) struct Lasting {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tickets: Arc<dyn ProducesTickets>,
    /// What sites are served with whose certificates come by ACME.
    pub(crate) slots: Slots,
}

impl Snapshot {
    /// Builds what `config` says.
    ///
    /// # Errors
    /// [`BuildError`]; nothing has been published then.
    pub(crate) fn build(config: &Config, lasting: &Lasting) -> Result<Self, BuildError> {
        let certificates = Certificates::build(config, lasting)?;
        let names = Arc::new(Names::default());
        let parts = Parts::build(config, &names, &lasting.metrics)?;
        Ok(Self {
            server: Arc::new(config.server.clone()),
            hosts: Arc::new(Hosts::of(&config.sites)),
            sites: config.sites.iter().map(|site| Site::build(site, &parts)).collect(),
            names,
            certificates,
        })
    }

    /// The same, with certificates that have been loaded or made anew.
    ///
    /// # Errors
    /// [`BuildError`]; the old ones stay good for as long as they are.
    pub(crate) fn renewed(&self, config: &Config, lasting: &Lasting) -> Result<Self, BuildError> {
        Ok(Self { certificates: Certificates::build(config, lasting)?, ..self.clone() })
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

impl Certificates {
    fn build(config: &Config, lasting: &Lasting) -> Result<Self, BuildError> {
        let storage = &config.server.storage;
        let built =
            gateway_certs::build_store(&config.sites, &lasting.slots, storage, SystemTime::now)
                .map_err(BuildError::Certificates)?;
        for warning in &built.warnings {
            crate::journal::warn("certificate", warning, &[]);
        }
        for note in built.local_ca.iter().flat_map(|ca| ca.notes()) {
            crate::journal::info("local_ca", note, &[]);
        }
        let renew_at = built.renew_at();
        let store = Arc::new(built.store);
        let alpn: [&[u8]; 2] = [b"h2", b"http/1.1"];
        let tls = gateway_certs::server_config(store.clone(), lasting.tickets.clone(), &alpn)?;
        let groups = config.sites.iter().flat_map(model::Site::acme_groups);
        let live = groups.map(|hosts| (names(&hosts), lasting.slots.of(&hosts))).collect();
        let (local_ca, facts) = (built.local_ca, built.facts.into());
        let certificates = Self { store, tls, local_ca, facts, live, renew_at };
        certificates.publish(config, &lasting.metrics);
        Ok(certificates)
    }

    fn publish(&self, config: &Config, metrics: &Metrics) {
        let mut ends = HashMap::<usize, SystemTime>::new();
        for facts in self.facts.iter() {
            let end = ends.entry(facts.site).or_insert(facts.not_after);
            *end = facts.not_after.min(*end);
        }
        for (site, end) in ends {
            let Some(site) = config.sites.get(site) else { continue };
            let seconds = end.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let gauge = metrics.certificate_not_after.with_label_values(&[&site.name.to_string()]);
            gauge.set(seconds.as_secs_f64());
        }
    }
}

fn names(hosts: &[model::HostPattern]) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What routes share.
struct Parts {
    upstreams: HashMap<*const model::Upstream, Arc<Upstream>>,
    limiters: HashMap<String, Arc<Limiter>>,
}

impl Parts {
    fn build(config: &Config, names: &Names, metrics: &Metrics) -> Result<Self, BuildError> {
        let mut tls = ClientConfigs::default();
        let mut upstreams = HashMap::new();
        let is_sticky =
            |upstream: &Arc<model::Upstream>| matches!(upstream.balance, model::Balance::Sticky(_));
        let sticky = match config.upstreams.iter().any(is_sticky) {
            true => Some(Arc::new(StickyKey::open(&config.server.storage)?)),
            false => None,
        };
        for upstream in &config.upstreams {
            let tools = Tools {
                names,
                tls: tls.of(upstream)?,
                sticky: sticky.clone().filter(|_| is_sticky(upstream)),
                metrics: UpstreamMetrics::new(metrics, &upstream.name),
            };
            upstreams.insert(Arc::as_ptr(upstream), Upstream::new(upstream.clone(), tools));
        }
        let limiters =
            config.limits.iter().map(|limit| (limit.name.clone(), Arc::new(Limiter::new(limit))));
        Ok(Self { upstreams, limiters: limiters.collect() })
    }
}

/// The TLS configurations of https upstreams; those that trust and show the same share one.
#[derive(Default)]
struct ClientConfigs(HashMap<(Option<PathBuf>, Option<CertificateFiles>), Arc<ClientConfig>>);

impl ClientConfigs {
    fn of(&mut self, upstream: &model::Upstream) -> Result<Option<Arc<ClientConfig>>, BuildError> {
        if upstream.protocol != model::Protocol::Https {
            return Ok(None);
        }
        let (ca, shown) = (&upstream.ca, &upstream.client_cert);
        let entry = self.0.entry((ca.clone(), shown.clone()));
        Ok(Some(match entry {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(vacant) => {
                let failed =
                    |source| BuildError::UpstreamTls { upstream: upstream.name.clone(), source };
                let fresh = client_config(ca.as_deref(), shown.as_ref()).map_err(failed)?;
                vacant.insert(fresh).clone()
            }
        }))
    }
}

impl Site {
    fn build(site: &model::Site, parts: &Parts) -> Self {
        let (mut paths, mut routes) = (Paths::default(), Vec::new());
        for route in &site.routes {
            if let Some(built) = Route::build(route, parts) {
                paths.add(&route.path, routes.len());
                routes.push(built);
            }
        }
        Self { name: site.name.to_string(), paths, routes, metrics: OnceLock::new() }
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
    fn build(route: &model::Route, parts: &Parts) -> Option<Self> {
        let action = match &route.action {
            Action::Proxy(target) => Serve::Proxy {
                upstream: parts.upstreams.get(&Arc::as_ptr(&target.upstream))?.clone(),
                rewrite: target.rewrite.clone(),
                prefix: own_length(&route.path),
            },
            Action::Respond(respond) => Serve::Respond(Answer::fixed(respond)),
            Action::Redirect(redirect) => Serve::Redirect(redirect.clone()),
        };
        let limiters = route.policy.limits.iter();
        Some(Self {
            name: route.path.to_string(),
            policy: route.policy.clone(),
            rules: Rules::of(&route.policy.headers),
            limiters: limiters
                .filter_map(|limit| parts.limiters.get(&limit.name))
                .cloned()
                .collect(),
            action,
            metrics: RouteMetrics::new(),
        })
    }
}
