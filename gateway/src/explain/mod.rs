//! What would happen to a request, told step by step: the answer of `gateway explain`.
//!
//! Every decision is made by the functions that serve requests; here they are only asked in the same
//! order and written down. Nothing but the configuration is looked at.

mod action;
mod answer;
mod answers;
mod guard;
mod policy;
mod question;
mod routes;

use std::net::IpAddr;

use gateway_config::model::{Config, Host, HostPattern, Site, Tls};
use serde::Serialize;

pub(crate) use action::{ActionFacts, FilesFacts, HeaderOrigin, ProxyFacts, UpstreamRequest};
pub(crate) use answer::{Answerer, HeaderFact, Outcome};
pub(crate) use answers::{CacheControlFacts, CompressFacts, CorsFacts};
pub(crate) use guard::WebhookFacts;
pub(crate) use policy::{
    Decision, ErrorFacts, ErrorPageFacts, LimitFacts, PolicyFacts, ResponseHeaderFacts,
};
pub(crate) use question::Question;
pub(crate) use routes::{RouteFacts, Verdict};

use crate::client::{self, Client};
use crate::fault::Fault;
use crate::headers::response::Rules;
use crate::headers::trace::Trace;
use crate::path::Path;
use crate::policy::{access, deny_paths, maintenance};
use crate::reply::Pages;
use crate::route::{HostRank, Hosts};
use crate::{asked, plain};
use answer::Veil;

/// Everything that there is to say about one request. Its JSON form is what scripts rely on.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    pub(crate) request: Asked,
    pub(crate) client: ClientFacts,
    pub(crate) outcome: Outcome,
    /// The site whose certificate is shown; none where no site answers to the host.
    pub(crate) site: Option<SiteFacts>,
    /// The path, where it is one.
    pub(crate) path: Option<PathFacts>,
    /// The site's routes, the most specific first.
    pub(crate) routes: Vec<RouteFacts>,
    /// Everything that is decided for the route, server and site merged in.
    pub(crate) policy: Option<PolicyFacts>,
    /// What the route does.
    pub(crate) action: Option<ActionFacts>,
}

/// The request.
#[derive(Debug, Serialize)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The listener that it comes in on: `https` or `http`.
    pub(crate) listener: &'static str,
    pub(crate) host: String,
    /// Path and query.
    pub(crate) target: String,
}

/// Who is taken to be asking.
#[derive(Debug, Serialize)]
pub(crate) struct ClientFacts {
    pub(crate) ip: IpAddr,
    /// The address that the connection comes from.
    pub(crate) peer: IpAddr,
    /// The entry of `trusted_proxies` that the peer belongs to.
    pub(crate) trusted_as: Option<String>,
    /// The header that this proxy names the client in.
    pub(crate) header: Option<String>,
}

/// The site, and how it was found.
#[derive(Debug, Serialize)]
pub(crate) struct SiteFacts {
    pub(crate) name: String,
    /// The pattern of the site that the host fits.
    pub(crate) pattern: String,
    /// `exact`, `wildcard` or `any`.
    pub(crate) rank: &'static str,
    /// `self-signed`, or the certificate files.
    pub(crate) certificates: Vec<String>,
}

/// The path in its two forms.
#[derive(Debug, Serialize)]
pub(crate) struct PathFacts {
    /// As the client sent it.
    pub(crate) sent: String,
    /// Decoded and normalised, as routes and `deny_paths` compare it.
    pub(crate) compared: String,
}

/// The first thing that went wrong; what comes after it is still looked at, for the explanation.
#[derive(Default)]
struct FirstFault(Option<Fault>);

impl FirstFault {
    fn ok<T>(&mut self, step: Result<T, impl Into<Fault>>) -> Option<T> {
        step.map_err(|fault| self.0.get_or_insert(fault.into())).ok()
    }
}

/// Explains what would happen to a request under a configuration.
pub(crate) fn explain(config: &Config, question: &Question) -> Explanation {
    let hosts = Hosts::of(&config.sites);
    let fields = &question.head.fields;
    let client = client::identify(&config.server.trusted_proxies, question.peer, fields);
    let trace = Trace::of(fields, client.via_trusted);
    let inquiry = Inquiry { config, hosts: &hosts, question, client, trace: &trace };
    if question.secure { inquiry.over_tls() } else { inquiry.in_the_clear() }
}

struct Inquiry<'q> {
    config: &'q Config,
    hosts: &'q Hosts,
    question: &'q Question,
    client: Client,
    trace: &'q Trace,
}

impl Inquiry<'_> {
    fn veil(&self) -> Veil<'_> {
        Veil::new(self.trace, &self.question.head.fields, self.client.via_trusted)
    }

    fn unanswered(&self) -> Explanation {
        let Question { head, .. } = self.question;
        Explanation {
            request: Asked {
                method: head.method.to_string(),
                listener: if self.question.secure { "https" } else { "http" },
                host: self.question.authority.clone(),
                target: head.target().to_owned(),
            },
            client: self.client(),
            outcome: Outcome::no_handshake(),
            site: None,
            path: None,
            routes: Vec::new(),
            policy: None,
            action: None,
        }
    }

    fn client(&self) -> ClientFacts {
        let peer = self.question.peer.to_canonical();
        let source = client::source_of(&self.config.server.trusted_proxies, peer);
        let header = |source: &gateway_config::model::ProxySource| {
            source.header.as_ref().map_or("x-forwarded-for", |header| header.as_str()).to_owned()
        };
        ClientFacts {
            ip: self.client.ip,
            peer,
            trusted_as: source.map(|source| source.name.clone()),
            header: source.map(header),
        }
    }

    /// A request of the plain listener.
    fn in_the_clear(&self) -> Explanation {
        let head = &self.question.head;
        let mut told = self.unanswered();
        if head.path() == plain::HEALTH {
            let because = "the plain listener answers this path itself, whatever the host";
            let healthy = plain::healthy();
            told.outcome = Outcome::answered(healthy, None, &self.veil(), because);
            return told;
        }
        let mut site = None;
        let answer = plain::host_of(head).and_then(|(host, port)| {
            let (rank, found) = self
                .hosts
                .find_ranked(&host)
                .ok_or_else(|| asked::unknown_host(self.config.server.unknown_host))?;
            site = self.config.sites.get(found).map(|site| SiteFacts::of(site, rank, &host));
            plain::to_https(head, &host, port, self.https_port())
        });
        told.site = site;
        told.outcome = match answer {
            Ok(answer) => {
                let because = "plain http is sent to https";
                Outcome::answered(answer, None, &self.veil(), because)
            }
            Err(fault) => Outcome::refused(&fault, head, None, &self.veil()),
        };
        told
    }

    fn https_port(&self) -> Option<u16> {
        self.config.server.https.first().map(|address| address.0.port()).filter(|port| *port != 0)
    }

    /// A request of a TLS listener, whose client asked for the URL's host in its handshake.
    fn over_tls(&self) -> Explanation {
        let mut told = self.unanswered();
        let found = self.hosts.find_ranked(&self.question.host);
        let Some((rank, shown)) = found else { return told };
        let Some(site) = self.config.sites.get(shown) else { return told };
        told.site = Some(SiteFacts::of(site, rank, &self.question.host));
        let mut faults = FirstFault::default();
        let authority = faults.ok(asked::authority(&self.question.head));
        let path = faults.ok(asked::normal_path(&self.question.head));
        let unknown = self.config.server.unknown_host;
        let same_site = authority.is_some_and(|authority| {
            let found = self.hosts.find_authority(authority);
            faults.ok(asked::site_asked_for(found, Some(Some(shown)), unknown)).is_some()
        });
        if let Some(path) = &path {
            let sent = self.question.head.path();
            let compared = path.normal.clone().into_owned();
            told.path = Some(PathFacts { sent: sent.to_owned(), compared });
        }
        if let (Some(authority), Some(path), true) = (authority, &path, same_site) {
            self.routed(site, authority, path, &mut faults, &mut told);
        }
        if let Some(fault) = faults.0 {
            let route = self.route_of(site, path.as_ref()).map(|route| &route.policy);
            let policy = Some(route.unwrap_or(&site.policy)).filter(|_| same_site);
            let dress =
                policy.map(|policy| (Rules::of(policy), Pages::unread(policy).style(policy)));
            let head = &self.question.head;
            let dress = dress.as_ref().map(|(rules, style)| (rules.to(head), style));
            told.outcome = Outcome::refused(&fault, head, dress, &self.veil());
        }
        told
    }

    fn route_of<'s>(
        &self,
        site: &'s Site,
        path: Option<&Path<'_>>,
    ) -> Option<&'s gateway_config::model::Route> {
        routes::winner(site, &path?.normal).and_then(|index| site.routes.get(index))
    }

    /// What happens once the site is known.
    fn routed(
        &self,
        site: &Site,
        authority: &str,
        path: &Path<'_>,
        faults: &mut FirstFault,
        told: &mut Explanation,
    ) {
        told.routes = routes::compare(site, &path.normal);
        let found = self.route_of(site, Some(path)).ok_or(Fault::NoRoute);
        let Some(route) = faults.ok(found) else { return };
        faults.ok(maintenance::check(route.policy.maintenance.as_ref(), self.client.ip));
        faults.ok(access::check(&route.policy.access, self.client.ip));
        faults.ok(deny_paths::check(&route.policy.deny_paths, &path.normal));
        faults.ok(guard::check(&route.policy, &self.question.head.fields));
        let asked = policy::Asked { head: &self.question.head, client: self.client.ip, path };
        told.policy = Some(PolicyFacts::of(&route.policy, &asked));
        let call = action::Call { inquiry: self, route, authority, path };
        told.action = Some(call.facts(faults));
        if faults.0.is_none() {
            match call.outcome() {
                Ok(outcome) => told.outcome = outcome,
                Err(fault) => faults.0 = Some(fault),
            }
        }
    }
}

impl SiteFacts {
    fn of(site: &Site, rank: HostRank, host: &Host) -> Self {
        let fits = |pattern: &&HostPattern| match (pattern, rank) {
            (HostPattern::Exact(_), HostRank::Exact)
            | (HostPattern::Wildcard(_), HostRank::Wildcard)
            | (HostPattern::Any, HostRank::Any) => pattern.matches(host),
            _ => false,
        };
        Self {
            name: site.name.to_string(),
            pattern: site.hosts().find(fits).unwrap_or(&site.name).to_string(),
            rank: match rank {
                HostRank::Exact => "exact",
                HostRank::Wildcard => "wildcard",
                HostRank::Any => "any",
            },
            certificates: match &site.tls {
                Tls::SelfSigned => vec!["self-signed".into()],
                Tls::Acme(_) => vec!["acme".into()],
                Tls::Files(files) => {
                    files.iter().map(|pair| pair.cert.display().to_string()).collect()
                }
            },
        }
    }
}
