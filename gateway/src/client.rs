//! Who is really asking.
//!
//! The address of the peer is believed. What a header says about the client is believed only where
//! the peer is a trusted proxy, and then in the one way in which that proxy says it.

use std::net::IpAddr;

use gateway_config::model::{ProxySource, TrustedProxies};

use crate::head::{Fields, Known};

/// The client of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address, IPv4-mapped IPv6 addresses as IPv4.
    pub(crate) ip: IpAddr,
    /// Whether the peer of the connection is a trusted proxy, so that its forwarding headers may be
    /// continued instead of dropped.
    pub(crate) via_trusted: bool,
}

/// Finds the client behind `peer`.
pub(crate) fn identify(trusted: &TrustedProxies, peer: IpAddr, fields: &Fields) -> Client {
    let peer = peer.to_canonical();
    let Some(source) = source_of(trusted, peer) else {
        return Client { ip: peer, via_trusted: false };
    };
    let named = match &source.header {
        Some(header) => fields.named(header.as_str().as_bytes()).next().and_then(address),
        None => nearest_stranger(trusted, fields),
    };
    // A trusted proxy that names nobody is asking for itself, a health check for instance.
    Client { ip: named.unwrap_or(peer), via_trusted: true }
}

/// Whether connections from `peer` are a trusted proxy's.
pub(crate) fn is_trusted(trusted: &TrustedProxies, peer: IpAddr) -> bool {
    source_of(trusted, peer.to_canonical()).is_some()
}

/// The source that a peer's address belongs to, IPv4-mapped addresses as IPv4.
pub(crate) fn source_of(trusted: &TrustedProxies, peer: IpAddr) -> Option<&ProxySource> {
    trusted.sources.iter().find(|source| source.networks.iter().any(|net| net.contains(&peer)))
}

/// `X-Forwarded-For` from right to left: every proxy appended the peer that it saw, so the first
/// address that is not one of ours is the last that somebody trustworthy saw. Text that is no
/// address ends the walk: nothing left of it is worth more.
fn nearest_stranger(trusted: &TrustedProxies, fields: &Fields) -> Option<IpAddr> {
    let mut nearest = None;
    let lines = fields.all(Known::XForwardedFor).rev();
    for hop in lines.flat_map(|line| line.rsplit(|byte| *byte == b',')) {
        let Some(ip) = address(hop) else { break };
        nearest = Some(ip);
        if source_of(trusted, ip).is_none() {
            break;
        }
    }
    nearest
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?.trim();
    let bare =
        text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(ip, _)| ip);
    bare.parse()
        .or_else(|_| text.parse::<std::net::SocketAddr>().map(|addr| addr.ip()))
        .ok()
        .map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> TrustedProxies {
        let source = |name: &str, net: &str, header: Option<&'static str>| ProxySource {
            name: name.into(),
            networks: vec![net.parse().unwrap()],
            header: header.map(http::HeaderName::from_static),
        };
        TrustedProxies {
            sources: vec![
                source("cloudflare", "173.245.48.0/20", Some("cf-connecting-ip")),
                source("10.0.0.0/8", "10.0.0.0/8", None),
            ],
        }
    }

    fn ip_of(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let mut fields = Fields::default();
        for (name, value) in headers {
            fields.add(name.as_bytes(), value.as_bytes());
        }
        identify(&trusted(), peer.parse().unwrap(), &fields).ip.to_string()
    }

    #[test]
    fn strangers_are_not_believed() {
        let claims = [("x-forwarded-for", "1.1.1.1"), ("cf-connecting-ip", "2.2.2.2")];
        assert_eq!(ip_of("192.0.2.1", &claims), "192.0.2.1");
        assert_eq!(ip_of("::ffff:192.0.2.1", &claims), "192.0.2.1");
    }

    #[test]
    fn each_provider_is_believed_in_its_own_header_only() {
        let claims = [("x-forwarded-for", "1.1.1.1"), ("cf-connecting-ip", "2.2.2.2")];
        assert_eq!(ip_of("173.245.48.9", &claims), "2.2.2.2");
        assert_eq!(ip_of("10.0.0.1", &claims), "1.1.1.1");
        assert_eq!(ip_of("173.245.48.9", &claims[..1]), "173.245.48.9");
    }

    #[test]
    fn forwarded_for_is_read_from_the_right_until_a_stranger() {
        let via = |value: &str| ip_of("10.0.0.1", &[("x-forwarded-for", value)]);
        assert_eq!(via("6.6.6.6, 1.1.1.1, 10.0.0.7"), "1.1.1.1");
        assert_eq!(via("10.0.0.9, 10.0.0.7"), "10.0.0.9");
        assert_eq!(via("1.1.1.1, rubbish, 10.0.0.7"), "10.0.0.7");
        assert_eq!(via("rubbish"), "10.0.0.1");
        assert_eq!(via("[2001:db8::1]:443"), "2001:db8::1");
        assert_eq!(via("1.1.1.1:5000"), "1.1.1.1");
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.1.1.1")];
        assert_eq!(ip_of("10.0.0.1", &lines), "1.1.1.1");
    }
}
