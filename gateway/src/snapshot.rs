//! Everything that a configuration decides, built whole before anybody sees it. A connection keeps
//! the snapshot that it began with; a reload publishes another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use gateway_certs::{CertStore, CertificateFacts, ClientVerification, LocalCa, Slot, Slots};
use gateway_config::HostError;
use gateway_config::model::{self, Action, CertificateFiles, Config, Policy, Redirect, Rewrite};
use rustls::ServerConfig;
use rustls::server::ProducesTickets;

use crate::files::Folder;
use crate::guard::{Grounds, Guard, GuardProblem, Guarding, Guards};
use crate::headers::response::Rules;
use crate::metrics::{Metrics, RouteMetrics, SiteMetrics, UpstreamMetrics};
use crate::policy::limit::Limiter;
use crate::reply::{Answer, ErrorStyle, PageError, Pages};
use crate::route::{Hosts, Paths, own_length};
use crate::tls::{ForClient, ForClients};
use crate::upstream::{Names, StickyError, StickyKey, TlsError, Tools, Trust, Upstream};

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

/// The part of a snapshot that time wears out.
#[derive(Clone)]
pub(crate) struct Certificates {
    pub(crate) store: Arc<CertStore>,
    pub(crate) tls: Arc<ServerConfig>,
    /// For sites that ask their clients for certificates.
    pub(crate) for_clients: Arc<ForClients>,
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

/// Why a configuration that reads well cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Certificates are missing, broken, or do not cover their sites: all of them at once.
    #[error("{}", lines(.0))]
    Certificates(Vec<gateway_certs::CertProblem>),
    /// Error pages cannot be read: all of them at once.
    #[error("{}", lines(.0))]
    Pages(Vec<PageError>),
    /// An upstream could never be verified.
    #[error("upstream `{upstream}`: {source}")]
    UpstreamTls {
        /// Its name.
        upstream: String,
        /// Why.
        source: TlsError,
    },
    /// Who may come in cannot be decided at some routes: all of them at once.
    #[error("{}", lines(.0))]
    Guards(Vec<GuardProblem>),
    /// Clients cannot be kept with their servers.
    #[error(transparent)]
    Sticky(#[from] StickyError),
    /// Certificates cannot come by ACME, for reasons that lie in this machine.
    #[error("certificates cannot come by ACME: {0}")]
    Acme(#[from] gateway_acme::KeeperError),
    /// Certificates of clients cannot be verified: a sentence for each site.
    #[error("{}", .0.join("\n"))]
    ClientCerts(Vec<String>),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The metrics contradict each other: a mistake in the gateway.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] prometheus::Error),
}

fn lines(problems: &[impl ToString]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
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

    /// Tells the metrics which upstreams there are and when the sites' certificates end. `before` has been served until now: what
    /// it said of sites that are gone is taken back.
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
        let for_clients = Arc::new(for_clients(config, &store, &alpn)?);
        let groups = config.sites.iter().flat_map(model::Site::acme_groups);
        let live = groups.map(|hosts| (names(&hosts), lasting.slots.of(&hosts))).collect();
        let (local_ca, facts) = (built.local_ca, built.facts.into());
        Ok(Self { store, tls, for_clients, local_ca, facts, live, renew_at })
    }
}

/// What sites are served with that ask their clients for certificates.
fn for_clients(
    config: &Config,
    store: &Arc<CertStore>,
    alpn: &[&[u8]],
) -> Result<ForClients, BuildError> {
    let (mut configs, mut problems) = (ForClients::new(), Vec::new());
    for (index, site) in config.sites.iter().enumerate() {
        let Some(clients) = &site.client_certs else { continue };
        match gateway_certs::client_verifier(clients) {
            Ok(ClientVerification { verifier, version }) => {
                let store = store.clone();
                let config = gateway_certs::server_config_for_clients(store, verifier, alpn)?;
                configs.insert(index, ForClient { config, version });
            }
            Err(error) => problems.push(format!("site `{}`: {error}", site.name)),
        }
    }
    if problems.is_empty() { Ok(configs) } else { Err(BuildError::ClientCerts(problems)) }
}

fn names(hosts: &[model::HostPattern]) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What routes share.
struct Parts {
    /// By name. No two have the same: bare addresses look like no name.
    upstreams: HashMap<String, Arc<Upstream>>,
    limiters: HashMap<String, (Arc<model::Limit>, Arc<Limiter>)>,
    trust: HashMap<Shown, Trust>,
}

/// What routes are made of besides the configuration.
struct Material<'m> {
    parts: &'m Parts,
    pages: Pages,
    guards: Guards,
}

impl Parts {
    fn build(
        config: &Config,
        lasting: &Lasting,
        before: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let trust = read_trust(config, before)?;
        let sticky = sticky_key(config)?;
        let mut upstreams = HashMap::with_capacity(config.upstreams.len());
        for upstream in &config.upstreams {
            let tls = trust.get(&shown(upstream)).map(|trust| trust.config.clone());
            let tls = tls.filter(|_| upstream.protocol == model::Protocol::Https);
            let known = before.and_then(|before| before.upstreams.get(&upstream.name));
            let kept = known.filter(|known| known.is_still(upstream, tls.as_ref())).cloned();
            let built = kept.unwrap_or_else(|| {
                let sticky = sticky.clone().filter(|_| is_sticky(upstream));
                let metrics = UpstreamMetrics::new(&lasting.metrics, &upstream.name);
                let tools = Tools { names: &lasting.names, tls, sticky, metrics };
                Upstream::new(upstream.clone(), tools)
            });
            upstreams.insert(upstream.name.clone(), built);
        }
        let limiters = config.limits.iter().map(|limit| {
            let known = before.and_then(|before| before.limiters.get(&limit.name));
            let kept =
                known.filter(|(before, _)| before == limit).map(|(_, limiter)| limiter.clone());
            let limiter = kept.unwrap_or_else(|| Arc::new(Limiter::new(limit)));
            (limit.name.clone(), (limit.clone(), limiter))
        });
        let limiters = limiters.collect();
        Ok(Self { upstreams, limiters, trust })
    }
}

impl<'m> Material<'m> {
    fn read(config: &Config, lasting: &Lasting, parts: &'m Parts) -> Result<Self, BuildError> {
        let pages = Pages::read(config).map_err(BuildError::Pages)?;
        let grounds = Grounds { shared: &lasting.guarding, upstreams: &parts.upstreams };
        let guards = Guards::build(config, &grounds).map_err(BuildError::Guards)?;
        Ok(Self { parts, pages, guards })
    }
}

/// Whom an https upstream believes, and what it is shown.
type Shown = (Option<PathBuf>, Option<CertificateFiles>);

fn shown(upstream: &model::Upstream) -> Shown {
    (upstream.ca.clone(), upstream.client_cert.clone())
}

fn is_sticky(upstream: &model::Upstream) -> bool {
    matches!(upstream.balance, model::Balance::Sticky(_))
}

/// What the cookies are made with that keep clients with their servers.
fn sticky_key(config: &Config) -> Result<Option<Arc<StickyKey>>, StickyError> {
    let wanted = config.upstreams.iter().any(|upstream| is_sticky(upstream));
    wanted.then(|| StickyKey::open(&config.server.storage).map(Arc::new)).transpose()
}

/// How https upstreams are verified, and what they are shown. Files that are what they were before are
/// not parsed again.
fn read_trust(
    config: &Config,
    before: Option<&Parts>,
) -> Result<HashMap<Shown, Trust>, BuildError> {
    let mut trust: HashMap<Shown, Trust> = HashMap::new();
    for upstream in &config.upstreams {
        let shown = shown(upstream);
        if upstream.protocol == model::Protocol::Https && !trust.contains_key(&shown) {
            let known = before.and_then(|before| before.trust.get(&shown));
            let read =
                Trust::read(shown.0.as_deref(), shown.1.as_ref(), known).map_err(|source| {
                    BuildError::UpstreamTls { upstream: upstream.name.clone(), source }
                })?;
            trust.insert(shown, read);
        }
    }
    Ok(trust)
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
