//! Where the domain leads to, as a CA sees it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use hickory_resolver::proto::rr::rdata::{A, AAAA};
use hickory_resolver::proto::rr::{RData, RecordType};

use super::finding::{Check, Finding, VISITS};
use super::subject::Subject;
use crate::dns::lookup::{Answers, Inquiry, Told};
use crate::dns::record::fqdn;

pub(super) enum Seen {
    NoName { name: String, by: String },
    NoAddress { name: String, by: String },
    Unknown { name: String, why: Vec<String> },
    NoDns { name: String },
    Fine { name: String, addresses: Vec<IpAddr>, by: String },
    Several { addresses: Vec<IpAddr> },
    Private { addresses: Vec<IpAddr> },
    Disagree { told: Vec<(String, Vec<IpAddr>)> },
    Silent { servers: Vec<String> },
}

impl From<Seen> for Finding {
    fn from(seen: Seen) -> Self {
        let check = Check::Addresses;
        match seen {
            Seen::NoName { name, by } => Self::problem(
                check,
                format!("There is no name `{name}`, says {by}."),
                "Give it an A or AAAA record that leads to this machine; a name that is new can take a while.",
            )
            .of(VISITS),
            Seen::NoAddress { name, by } => Self::problem(
                check,
                format!("`{name}` has neither an A nor an AAAA record, says {by}."),
                "Give it one that leads to this machine.",
            )
            .of(VISITS),
            Seen::Unknown { name, why } => Self::problem(
                check,
                format!("Nobody says where `{name}` leads to: {}.", why.join("; ")),
                "Check the zone's delegation and its name servers, DNSSEC too; and `dns` in [server] or /etc/resolv.conf, by which they are found.",
            ),
            Seen::NoDns { name } => Self::problem(
                check,
                format!("`{name}` cannot be a name in DNS."),
                "Use another name, or tls = \"self-signed\" for its site.",
            ),
            Seen::Fine { name, addresses, by } => {
                Self::ok(check, format!("`{name}` leads to {}, says {by}.", list(&addresses)))
            }
            Seen::Several { addresses } => Self::warning(
                check,
                format!("There is more than one of a kind: {}.", list(&addresses)),
                "A CA takes any of them. All must lead to the one gateway that asks for the certificate, which alone can answer; or use dns-01.",
            ),
            Seen::Private { addresses } => Self::problem(
                check,
                format!("A CA on the internet cannot reach {}: not an address of the internet.", list(&addresses)),
                "Let the public records of the name hold the public address, or use dns-01, for which nobody connects.",
            )
            .of(VISITS),
            Seen::Disagree { told } => Self::warning(
                check,
                format!(
                    "The zone's name servers do not agree: {}.",
                    told.iter()
                        .map(|(server, addresses)| format!("{server} says {}", list(addresses)))
                        .collect::<Vec<_>>()
                        .join("; ")
                ),
                "A CA asks any of them. Check that all follow the primary; after a change this passes by itself.",
            ),
            Seen::Silent { servers } => Self::warning(
                check,
                format!("Name servers of the zone did not answer: {}.", servers.join("; ")),
                "A CA may ask just these, and fail. Have them answer, or take them out of the zone's NS records.",
            ),
        }
    }
}

fn list(addresses: &[IpAddr]) -> String {
    match addresses {
        [] => "nowhere".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// The addresses, and what is to be said about them.
pub(super) async fn check(subject: &Subject<'_>, inquiry: &Inquiry) -> (Vec<IpAddr>, Vec<Finding>) {
    let (addresses, mut seen) = match subject.ip() {
        Some(ip) => (vec![ip], Vec::new()),
        None => look_up(subject.name(), inquiry).await,
    };
    let private: Vec<_> = addresses.iter().copied().filter(is_private).collect();
    if !private.is_empty() && subject.asks_the_internet() {
        seen.push(Seen::Private { addresses: private });
    }
    (addresses, seen.into_iter().map(Finding::from).collect())
}

async fn look_up(name: &str, inquiry: &Inquiry) -> (Vec<IpAddr>, Vec<Seen>) {
    let shown = name.to_owned();
    let Some(name) = fqdn(name) else { return (Vec::new(), vec![Seen::NoDns { name: shown }]) };
    let (v4, v6) =
        tokio::join!(inquiry.ask(&name, RecordType::A), inquiry.ask(&name, RecordType::AAAA));
    let by = v4.told.iter().chain(&v6.told).map(|(server, _)| server.clone());
    let by = by.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ");
    let addresses: BTreeSet<_> = all(&v4).chain(all(&v6)).collect();
    let addresses: Vec<_> = addresses.into_iter().collect();
    let seen = judge(shown, &addresses, by, [&v4, &v6]);
    (addresses, seen)
}

fn judge(name: String, addresses: &[IpAddr], by: String, answers: [&Answers; 2]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let silent = || answers.iter().flat_map(|answers| &answers.silent);
    let silent: BTreeSet<_> = silent().map(|(server, why)| format!("{server} ({why})")).collect();
    let silent: Vec<_> = silent.into_iter().collect();
    let told = || answers.iter().flat_map(|answers| &answers.told);
    if told().next().is_none() {
        return vec![Seen::Unknown { name, why: silent }];
    }
    if addresses.is_empty() {
        seen.push(match told().any(|(_, told)| *told == Told::NoName) {
            true => Seen::NoName { name, by },
            false => Seen::NoAddress { name, by },
        });
    } else {
        seen.push(Seen::Fine { name, addresses: addresses.to_vec(), by });
    }
    let of_a_kind = |kind: fn(&IpAddr) -> bool| addresses.iter().filter(|ip| kind(ip)).count();
    if of_a_kind(IpAddr::is_ipv4) > 1 || of_a_kind(IpAddr::is_ipv6) > 1 {
        seen.push(Seen::Several { addresses: addresses.to_vec() });
    }
    for answers in answers {
        let told = answers.told.iter().map(|(server, told)| (server.clone(), of(told)));
        let told: Vec<_> = told.collect();
        if told.windows(2).any(|pair| matches!(pair, [(_, a), (_, b)] if a != b)) {
            seen.push(Seen::Disagree { told });
        }
    }
    if !silent.is_empty() {
        seen.push(Seen::Silent { servers: silent });
    }
    seen
}

fn all(answers: &Answers) -> impl Iterator<Item = IpAddr> {
    answers.told.iter().flat_map(|(_, told)| of(told))
}

fn of(told: &Told) -> Vec<IpAddr> {
    let Told::Records(records) = told else { return Vec::new() };
    let address = |record: &RData| match record {
        RData::A(A(ip)) => Some(IpAddr::V4(*ip)),
        RData::AAAA(AAAA(ip)) => Some(IpAddr::V6(*ip)),
        _ => None,
    };
    let mut addresses: Vec<_> = records.iter().filter_map(address).collect();
    addresses.sort_unstable();
    addresses
}

/// Whether nobody on the internet reaches it: private, loopback, shared (RFC 6598), of documents.
pub(super) fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_documentation()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => {
            let mapped = ip.to_ipv4_mapped().map(IpAddr::V4);
            mapped.as_ref().is_some_and(is_private) || is_private_v6(ip)
        }
    }
}

fn is_private_v6(ip: &Ipv6Addr) -> bool {
    let documentation = matches!(ip.segments(), [0x2001, 0xdb8, ..]);
    ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
        || documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_nobody_reaches() {
        for private in
            ["10.1.1.1", "127.0.0.1", "100.64.0.1", "0.0.0.0", "fd00::1", "::1", "::ffff:10.0.0.1"]
        {
            assert!(is_private(&private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "100.128.0.1", "2606:4700::1111"] {
            assert!(!is_private(&public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn name_servers_that_do_not_agree_are_told_of() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let a = |text: &str| Told::Records(vec![RData::A(A(text.parse().unwrap()))]);
        let told = vec![("ns1".to_owned(), a("1.1.1.1")), ("ns2".to_owned(), a("1.1.1.2"))];
        let v4 = Answers { told, silent: vec![("ns3".to_owned(), "it has no address".to_owned())] };
        let v6 = Answers { told: vec![("ns1".to_owned(), Told::Nothing)], silent: Vec::new() };
        let addresses = vec![ip("1.1.1.1"), ip("1.1.1.2")];
        let seen = judge("a.test".into(), &addresses, "ns1".into(), [&v4, &v6]);
        assert!(matches!(
            seen.as_slice(),
            [Seen::Fine { .. }, Seen::Several { .. }, Seen::Disagree { .. }, Seen::Silent { .. }]
        ));
    }
}
