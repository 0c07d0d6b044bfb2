//! Which challenges can be used.

use crate::check::Listeners;
use crate::complaint::{Complaint, Report};
use crate::model::ChallengeKind::{Dns01, Http01, TlsAlpn01};
use crate::model::{ChallengeKind, HostPattern};
use crate::problem::Code;
use crate::read::ReadAcme;
use crate::source::Span;

/// The challenges, and what is there for them.
pub(super) struct Challenges<'a> {
    acme: &'a ReadAcme,
    http: bool,
    https: bool,
}

impl<'a> Challenges<'a> {
    /// Without listeners, which could not be read, nothing is wrong with them.
    pub(super) fn of(acme: &'a ReadAcme, listeners: Option<&Listeners>) -> Self {
        let any = |list: fn(&Listeners) -> bool| listeners.is_none_or(list);
        Self {
            acme,
            http: any(|all| !all.http.is_empty()),
            https: any(|all| !all.https.is_empty()),
        }
    }

    /// Whether the file lets it be used.
    fn allows(&self, kind: ChallengeKind) -> bool {
        self.acme.challenges_span.is_none() || self.named(kind).is_some()
    }

    /// Its place in the list.
    fn named(&self, kind: ChallengeKind) -> Option<&Option<Span>> {
        self.acme.challenges.iter().find(|(named, _)| *named == kind).map(|(_, span)| span)
    }

    /// Whether what it takes is there. A missing `dns` is reported once, where dns-01 is named.
    fn is_possible(&self, kind: ChallengeKind) -> bool {
        match kind {
            Http01 => self.http,
            TlsAlpn01 => self.https,
            Dns01 => self.acme.has_dns || self.named(Dns01).is_some(),
        }
    }

    fn can_use(&self, kind: ChallengeKind) -> bool {
        self.allows(kind) && self.is_possible(kind)
    }

    /// What is wrong whatever the hosts are.
    pub(super) fn report(&self, report: &Report<'_>) {
        if let Some(span) = self.named(Dns01).filter(|_| !self.acme.has_dns) {
            let complaint = Complaint::new(
                Code::MissingKey,
                "`challenges` names dns-01, and [acme] has no `dns`",
            )
            .help("say who changes DNS records, for instance dns = { provider = \"cloudflare\", token = { env = \"CF_TOKEN\" } }, or leave dns-01 out");
            report.add(span.as_ref(), complaint);
        }
        let named = self.acme.challenges.iter().map(|(kind, _)| *kind);
        if named.clone().count() > 0 && !named.clone().any(|kind| self.can_use(kind)) {
            let reasons: Vec<String> = named.map(wants).collect();
            let complaint = Complaint::new(
                Code::NoChallenge,
                format!("none of `challenges` is possible: {}", reasons.join(", ")),
            )
            .help("add such a listener to [server], or name another challenge: \"tls-alpn-01\" takes `https` alone");
            report.add(self.acme.challenges_span.as_ref(), complaint);
        }
    }

    /// Why a wildcard cannot be had, if so: dns-01 alone is for wildcards (RFC 8555, section 7.1.3).
    pub(super) fn why_no_wildcard(&self, host: &HostPattern) -> Option<Complaint> {
        if self.can_use(Dns01) {
            return None;
        }
        const DNS: &str = "dns = { provider = \"cloudflare\", token = { env = \"CF_TOKEN\" } }";
        let (why, help) = match (self.acme.has_dns, self.allows(Dns01)) {
            (true, _) => ("which `challenges` leaves out", "add \"dns-01\" to `challenges`".into()),
            (false, true) => (
                "for which [acme] has no `dns`",
                format!(
                    "say who changes DNS records, for instance {DNS}, or name the hosts one by one"
                ),
            ),
            (false, false) => (
                "which `challenges` leaves out and for which [acme] has no `dns`",
                format!(
                    "add \"dns-01\" to `challenges`, and say who changes DNS records, for instance {DNS}"
                ),
            ),
        };
        let message = format!("`{host}` takes a challenge by dns-01, {why}");
        let complaint = Complaint::new(Code::NoChallenge, message).help(help);
        let list = self.acme.challenges_span.iter().filter(|_| !self.allows(Dns01));
        Some(list.fold(complaint, |it, span| it.related(span, "the challenges that may be used")))
    }

    /// The place of the list, where dns-01 is all that can be used.
    pub(super) fn only_dns(&self) -> Option<Option<&Span>> {
        let only = self.can_use(Dns01) && !self.can_use(Http01) && !self.can_use(TlsAlpn01);
        only.then_some(self.acme.challenges_span.as_ref())
    }
}

fn wants(kind: ChallengeKind) -> String {
    match kind {
        Http01 => "http-01 takes a listener in `http`".into(),
        TlsAlpn01 => "tls-alpn-01 takes a listener in `https`".into(),
        Dns01 => "dns-01 takes `dns`".into(),
    }
}
