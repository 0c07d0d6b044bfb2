//! Networks: CIDR blocks, single addresses, and lists that have a name.

use std::net::IpAddr;

use http::HeaderName;
use ipnet::IpNet;

use crate::complaint::{Complaint, quoted};
use crate::model::ProxySource;
use crate::named::{CLOUDFLARE, GITHUB_HOOKS, NamedNetworks, PRIVATE};
use crate::problem::Code;
use crate::suggest::nearest;

const NAMED: [&NamedNetworks; 3] = [&CLOUDFLARE, &GITHUB_HOOKS, &PRIVATE];

/// Networks, and what is to be warned about.
pub(crate) type Networks = (Vec<IpNet>, Option<Complaint>);

/// One entry of `allow` or `deny`.
pub(crate) fn parse_networks(text: &str) -> Result<Networks, Complaint> {
    match NAMED.iter().find(|named| named.name == text) {
        Some(named) => Ok((named.networks(), None)),
        None => parse_network(text).map(|(network, warning)| (vec![network], warning)),
    }
}

/// One entry of `trusted_proxies`.
pub(crate) fn parse_proxy_source(
    text: &str,
) -> Result<(ProxySource, Option<Complaint>), Complaint> {
    if text == GITHUB_HOOKS.name {
        let message = format!("{} names senders of webhooks and no proxies", quoted(text));
        return Err(Complaint::new(Code::BadNetwork, message)
            .help("remove it here, and name it in `allow` of the route that takes webhooks"));
    }
    let (networks, warning) = parse_networks(text)?;
    let named = NAMED.iter().find(|named| named.name == text);
    let source = ProxySource {
        name: text.to_owned(),
        networks,
        header: named.and_then(|named| named.client_header).map(HeaderName::from_static),
    };
    Ok((source, warning))
}

fn parse_network(text: &str) -> Result<(IpNet, Option<Complaint>), Complaint> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok((IpNet::from(address), None));
    }
    let network = text.parse::<IpNet>().map_err(|_| not_a_network(text))?;
    let whole = network.trunc();
    let warning = (whole != network).then(|| {
        Complaint::new(
            Code::HostBits,
            format!("{} has bits set behind its prefix; it means `{whole}`", quoted(text)),
        )
        .help(format!(
            "write \"{whole}\" for the network, or \"{}\" for the one address",
            network.addr()
        ))
    });
    Ok((whole, warning))
}

fn not_a_network(text: &str) -> Complaint {
    let names = NAMED.iter().map(|named| named.name);
    let help = match nearest(text, names) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => "write a CIDR block, an address, \"private\", \"cloudflare\" or \"github-hooks\": \"10.0.0.0/8\", \"2001:db8::/32\", \"192.0.2.7\"".into(),
    };
    Complaint::new(Code::BadNetwork, format!("{} is not a network", quoted(text))).help(help)
}
