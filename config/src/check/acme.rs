//! Every host of a site with tls = "acme" can be shown to be ours, and a CA issues for it.

mod challenges;

use super::Listeners;
use super::public_ca::is_issued_for;
use crate::complaint::{Complaint, Report};
use crate::model::{AcmeCa, Host, HostPattern};
use crate::problem::Code;
use crate::read::{ReadAcme, ReadSite};
use crate::source::Span;
use challenges::Challenges;

pub(crate) fn acme(
    acme: &ReadAcme,
    sites: &[ReadSite],
    listeners: Option<&Listeners>,
    report: &Report<'_>,
) {
    let challenges = Challenges::of(acme, listeners);
    challenges.report(report);
    let public = is_public(acme);
    let hosts = sites.iter().filter(|site| site.is_acme()).flat_map(|site| &site.hosts);
    for (host, span) in hosts {
        if let Some(complaint) = unprovable(host, &challenges) {
            report.add(Some(span), complaint);
        }
        if public && !is_issued_for(host) {
            report.add(Some(span), not_public(host));
        }
    }
}

/// Whether every CA that is asked is one of the public ones.
fn is_public(acme: &ReadAcme) -> bool {
    let directories = &acme.acme.directories;
    let own = |ca: &AcmeCa| matches!(ca, AcmeCa::Url(_));
    !directories.is_empty() && !directories.iter().any(|directory| own(&directory.ca))
}

fn not_public(host: &HostPattern) -> Complaint {
    Complaint::new(Code::NoPublicCa, format!("no public CA issues for `{host}`"))
        .help("write tls = \"self-signed\", or name a CA of your own by `directory` in [acme]")
}

fn unprovable(host: &HostPattern, challenges: &Challenges<'_>) -> Option<Complaint> {
    match host {
        HostPattern::Any => Some(
            Complaint::new(
                Code::NoChallenge,
                "`*` stands for every host, and a CA issues for hosts that have a name",
            )
            .help("name the hosts instead, or give this site tls = \"self-signed\" or a certificate of yours"),
        ),
        HostPattern::Wildcard(_) => challenges.why_no_wildcard(host),
        HostPattern::Exact(host) => address(host, challenges),
    }
}

/// RFC 8738: addresses cannot be shown to be ours by DNS.
fn address(host: &Host, challenges: &Challenges<'_>) -> Option<Complaint> {
    host.ip()?;
    let complaint = Complaint::new(
        Code::NoChallenge,
        format!("`{host}` is an address, and dns-01 is for names"),
    )
    .help("add \"http-01\" or \"tls-alpn-01\" to `challenges` in [acme]");
    let span: Option<&Span> = challenges.only_dns()?;
    Some(span.iter().fold(complaint, |it, span| it.related(span, "the only challenges")))
}
