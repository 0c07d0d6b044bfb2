//! Whether a CDN stands in front, and what that means.

use std::net::IpAddr;

use gateway_config::is_cloudflare;

use super::finding::{Check, Finding, TLS_ALPN_01};
use super::port80::Look;
use super::subject::Subject;
use gateway_config::model::ChallengeKind;

pub(super) enum Seen {
    None,
    Cloudflare { by: By, tls_alpn_01: bool },
}

/// What it was recognised by.
pub(super) enum By {
    Addresses(Vec<IpAddr>),
    Answer(IpAddr),
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        let check = Check::Cdn;
        let (by, tls_alpn_01) = match seen {
            Seen::None => return Self::ok(check, "No CDN in front was recognised.".to_owned()),
            Seen::Cloudflare { by, tls_alpn_01 } => (by, tls_alpn_01),
        };
        let by = match by {
            By::Addresses(addresses) => {
                let list: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                format!("{} is in its published ranges", list.join(", "))
            }
            By::Answer(address) => format!("{address} answers as it"),
        };
        let what = format!(
            "Cloudflare stands in front ({by}): http-01 works where it passes /.well-known/acme-challenge/ on to this gateway; tls-alpn-01 cannot work, since TLS ends there."
        );
        match tls_alpn_01 {
            true => Self::problem(
                check,
                what,
                "Leave tls-alpn-01 out of `challenges` in [acme]; or let the record be \"DNS only\" at Cloudflare; or use dns-01.",
            )
            .of(TLS_ALPN_01),
            false => Self::ok(check, what),
        }
    }
}

pub(super) fn check(subject: &Subject<'_>, addresses: &[IpAddr], looks: &[Look]) -> Vec<Finding> {
    let known: Vec<_> = addresses.iter().copied().filter(|ip| is_cloudflare(*ip)).collect();
    let answered = looks.iter().find(|look| look.cloudflare).map(|look| look.at.ip());
    let by = match known.is_empty() {
        false => Some(By::Addresses(known)),
        true => answered.map(By::Answer),
    };
    let tls_alpn_01 = subject.can(ChallengeKind::TlsAlpn01);
    vec![by.map_or(Seen::None, |by| Seen::Cloudflare { by, tls_alpn_01 }).into()]
}
