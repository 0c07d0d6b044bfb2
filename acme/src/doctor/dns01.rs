//! Whether records for dns-01 could be changed, found out without a change.

use std::net::SocketAddr;

use gateway_config::model::DnsProvider;

use super::finding::{Check, DNS_01, Finding};
use super::subject::Subject;
use crate::dns::{DnsError, Examined, Provider, TxtRecord};

/// A value that no challenge has; nothing is ever set to it.
const NO_VALUE: &str = "doctor";

pub(super) enum Seen {
    Signed { name: String, holder: String, server: SocketAddr, zone: String },
    Cloudflare { name: String, holder: String },
    Program { file: String },
    Failed(DnsError),
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        let check = Check::Dns01;
        match seen {
            Seen::Signed { name, holder, server, zone } => Self::ok(
                check,
                format!(
                    "The name server {server} takes the key and has the zone `{zone}`{}. Whether the key may change the record is seen only when it does.",
                    elsewhere(&name, &holder)
                ),
            ),
            Seen::Cloudflare { name, holder } => Self::ok(
                check,
                format!(
                    "Cloudflare takes the token and has the zone{}. Whether the token may change the record is seen only when it does.",
                    elsewhere(&name, &holder)
                ),
            ),
            Seen::Program { file } => {
                Self::ok(check, format!("The program `{file}` can be run; it was not."))
            }
            Seen::Failed(error) => Self::problem_of(check, &error).of(DNS_01),
        }
    }
}

/// Where a CNAME leads away from the challenge's own name.
fn elsewhere(name: &str, holder: &str) -> String {
    match name == holder {
        true => String::new(),
        false => format!("; by CNAME the record for `{name}` is at `{holder}`"),
    }
}

/// With nothing but questions.
pub(super) async fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(provider) = &subject.examination.config.acme.dns else { return Vec::new() };
    vec![look(subject, provider).await.unwrap_or_else(Seen::Failed).into()]
}

async fn look(subject: &Subject<'_>, provider: &DnsProvider) -> Result<Seen, DnsError> {
    let nameservers = &subject.examination.config.server.dns;
    let base = match &subject.pattern {
        gateway_config::model::HostPattern::Wildcard(parent) => parent.as_str(),
        _ => subject.name(),
    };
    let record = TxtRecord::new(&format!("_acme-challenge.{base}"), NO_VALUE)?;
    let provider = Provider::new(provider, nameservers)?;
    let provider = provider.with_time_limit(subject.examination.time_limit * 3 / 4);
    let name = record.name().to_owned();
    Ok(match provider.examine(&record).await? {
        Examined::Signed { server, zone, holder } => Seen::Signed { name, holder, server, zone },
        Examined::Cloudflare { holder } => Seen::Cloudflare { name, holder },
        Examined::Program { file } => Seen::Program { file },
    })
}
