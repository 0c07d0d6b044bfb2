//! What the configuration says about the domain.

use gateway_config::model::{ChallengeKind, Config, HostPattern, Site, Tls};
use gateway_config::nearest;

use super::finding::{Check, Finding};
use super::subject::Subject;
use crate::authority::known;

pub(super) enum Seen {
    NoSite { domain: String, meant: Option<String> },
    NotAcme { site: String, from: &'static str },
    NoChallenge { hosts: String },
    Fine { site: String, hosts: String, cas: Vec<String>, kinds: Vec<ChallengeKind> },
    AccountKey { ca: String, error: String },
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        let check = Check::Configuration;
        match seen {
            Seen::NoSite { domain, meant } => {
                let meant = meant.map(|meant| format!(" Or did you mean {meant}?"));
                Self::problem(
                    check,
                    format!("No site answers to {domain}."),
                    format!(
                        "Give it a site of its own, or write it into the `aliases` of another.{}",
                        meant.unwrap_or_default()
                    ),
                )
            }
            Seen::NotAcme { site, from } => Self::problem(
                check,
                format!("The certificate of site `{site}` {from}."),
                "Write tls = \"acme\" into the site, if it is to come by ACME.",
            ),
            Seen::NoChallenge { hosts } => Self::problem(
                check,
                format!("No challenge is possible for {hosts}."),
                "A wildcard takes dns-01, so `dns` in [acme]; an address takes a listener in [server].",
            ),
            Seen::Fine { site, hosts, cas, kinds } => Self::ok(
                check,
                format!(
                    "Site `{site}` has its certificate for {hosts} by ACME from {}, proved by {}.",
                    cas.join(", else "),
                    either(&kinds)
                ),
            ),
            Seen::AccountKey { ca, error } => {
                let finding = Self::problem_of(check, &error);
                let what = format!("The external account at {ca}: {}", finding.what);
                Self { what, ..finding }
            }
        }
    }
}

/// "http-01 or dns-01".
pub(super) fn either(kinds: &[ChallengeKind]) -> String {
    kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// The site that answers to a domain, and by which of its hosts.
pub(super) fn site_of<'c>(
    config: &'c Config,
    domain: &HostPattern,
) -> Result<(&'c Site, HostPattern), Seen> {
    let all = || config.sites.iter().flat_map(|site| site.hosts().map(move |host| (site, host)));
    let exact = all().find(|(_, host)| *host == domain);
    let matching = |(_, host): &(&Site, &HostPattern)| match domain {
        HostPattern::Exact(domain) => host.matches(domain),
        _ => false,
    };
    let by_wildcard =
        all().filter(|(_, host)| **host != HostPattern::Any).find(|found| matching(found));
    let found = exact.or(by_wildcard).or_else(|| all().find(matching));
    let Some((site, host)) = found else {
        let hosts: Vec<_> = all().map(|(_, host)| host.to_string()).collect();
        let domain = domain.to_string();
        let meant = nearest(&domain, hosts.iter().map(String::as_str)).map(str::to_owned);
        return Err(Seen::NoSite { domain, meant });
    };
    let from = match site.tls {
        Tls::Acme(_) => return Ok((site, host.clone())),
        Tls::SelfSigned => "is one of the local CA",
        Tls::Files(_) => "comes from files",
    };
    Err(Seen::NotAcme { site: site.name.to_string(), from })
}

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let hosts = subject.wanted.iter().flat_map(|wanted| &wanted.hosts);
    let hosts = hosts.map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let name = |url| known::name(url).to_owned();
    let first = match subject.kinds.is_empty() {
        true => Seen::NoChallenge { hosts },
        false => Seen::Fine {
            site: subject.site.name.to_string(),
            hosts,
            cas: subject.directories().iter().map(|one| name(one.ca.url())).collect(),
            kinds: subject.kinds.clone(),
        },
    };
    let keys = subject.directories().iter().filter_map(|directory| {
        let error = directory.eab.as_ref()?.key.read().err()?;
        Some(Seen::AccountKey { ca: name(directory.ca.url()), error: error.to_string() })
    });
    std::iter::once(first).chain(keys).map(Finding::from).collect()
}
