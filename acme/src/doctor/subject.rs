//! What is examined: the domain, and what the configuration makes of it.

use std::net::IpAddr;
use std::path::Path;
use std::time::SystemTime;

use gateway_config::model::{AcmeCa, AcmeDirectory, ChallengeKind, HostPattern, Site};

use super::Examination;
use crate::keeper::Wanted;
use crate::moment::Moment;
use crate::names::{has_address, is_wildcard};

/// The domain, where its certificate comes by ACME.
pub(super) struct Subject<'e> {
    pub(super) examination: &'e Examination,
    pub(super) site: &'e Site,
    /// What is certified: the domain itself, or the wildcard that answers to it.
    pub(super) pattern: HostPattern,
    /// The certificate that has it.
    pub(super) wanted: Vec<Wanted>,
    /// The challenges that are possible, in the order in which they are tried.
    pub(super) kinds: Vec<ChallengeKind>,
}

impl<'e> Subject<'e> {
    pub(super) fn new(examination: &'e Examination, site: &'e Site, pattern: HostPattern) -> Self {
        let has = |wanted: &&Wanted| wanted.hosts.contains(&pattern);
        let wanted: Vec<_> = examination.wanted.iter().filter(has).cloned().collect();
        let hosts: Vec<_> = wanted.iter().flat_map(|wanted| wanted.hosts.clone()).collect();
        let kinds = kinds(examination, &hosts);
        Self { examination, site, pattern, wanted, kinds }
    }

    pub(super) fn directories(&self) -> &'e [AcmeDirectory] {
        &self.examination.config.acme.directories
    }

    pub(super) fn storage(&self) -> &'e Path {
        &self.examination.config.server.storage
    }

    /// The domain without the star.
    pub(super) fn name(&self) -> &str {
        match &self.examination.domain {
            HostPattern::Exact(host) | HostPattern::Wildcard(host) => host.as_str(),
            HostPattern::Any => "*",
        }
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        match &self.examination.domain {
            HostPattern::Exact(host) => host.ip(),
            _ => None,
        }
    }

    /// Whether a wildcard is certified, for which CAA records have a word of their own.
    pub(super) fn is_wildcard(&self) -> bool {
        matches!(self.pattern, HostPattern::Wildcard(_))
    }

    pub(super) fn can(&self, kind: ChallengeKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether the CA comes to look at this machine.
    pub(super) fn is_visited(&self) -> bool {
        self.can(ChallengeKind::Http01) || self.can(ChallengeKind::TlsAlpn01)
    }

    /// Whether a CA of the internet is asked, which private addresses mean nothing to.
    pub(super) fn asks_the_internet(&self) -> bool {
        self.directories().iter().any(|one| !matches!(one.ca, AcmeCa::Url(_)))
    }
}

/// The possible challenges, as the keeper takes them.
fn kinds(examination: &Examination, hosts: &[HostPattern]) -> Vec<ChallengeKind> {
    let (acme, server) = (&examination.config.acme, &examination.config.server);
    let is_possible = |kind: &ChallengeKind| match kind {
        ChallengeKind::Dns01 => acme.dns.is_some(),
        ChallengeKind::Http01 => !server.http.is_empty(),
        ChallengeKind::TlsAlpn01 => !server.https.is_empty(),
    };
    let suits = |kind: &ChallengeKind| match kind {
        ChallengeKind::Dns01 => !has_address(hosts),
        ChallengeKind::Http01 | ChallengeKind::TlsAlpn01 => !is_wildcard(hosts),
    };
    let all = || ChallengeKind::ALL.into_iter().filter(is_possible).collect();
    let mut kinds: Vec<_> = acme.challenges.clone().unwrap_or_else(all);
    kinds.retain(suits);
    kinds
}

pub(super) fn now() -> Moment {
    Moment::from(SystemTime::now())
}
