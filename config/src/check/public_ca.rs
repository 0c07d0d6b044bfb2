//! What no public CA issues for: names that nobody can own, and addresses that anybody may have.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::HostPattern;
use crate::named::PRIVATE;

/// Ends of names that are nobody's: RFC 2606, RFC 6761, RFC 6762, RFC 8375, and `internal`, which
/// ICANN has reserved.
const NOBODYS: [&str; 7] =
    ["localhost", "local", "internal", "test", "invalid", "example", "home.arpa"];

/// Networks besides the private ones that are not of the internet: RFC 3927, RFC 6598, RFC 4291.
const LOCAL: [&str; 3] = ["169.254.0.0/16", "100.64.0.0/10", "fe80::/10"];

/// Whether public CAs issue for hosts like this one, as far as the name says.
pub(super) fn is_issued_for(host: &HostPattern) -> bool {
    match host {
        HostPattern::Any => true,
        HostPattern::Wildcard(parent) => !is_nobodys(parent.as_str()),
        HostPattern::Exact(host) => match host.ip() {
            Some(address) => is_public(address),
            None => host.as_str().contains('.') && !is_nobodys(host.as_str()),
        },
    }
}

fn is_nobodys(name: &str) -> bool {
    NOBODYS.iter().any(|end| {
        name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let local = LOCAL.iter().filter_map(|block| block.parse::<IpNet>().ok());
    let mut nobodys = PRIVATE.networks().into_iter().chain(local);
    !address.is_unspecified() && !nobodys.any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_the_world() {
        for text in ["example.com", "*.example.com", "192.0.2.1", "2001:db8::1", "mylocal.com", "*"]
        {
            assert!(is_issued_for(&HostPattern::parse(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn names_and_addresses_of_nobody() {
        for text in [
            "localhost",
            "intranet",
            "app.localhost",
            "printer.local",
            "*.internal",
            "a.b.test",
            "nas.home.arpa",
            "10.1.2.3",
            "127.0.0.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "0.0.0.0",
        ] {
            assert!(!is_issued_for(&HostPattern::parse(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn every_block_is_a_network() {
        assert!(LOCAL.iter().all(|block| block.parse::<IpNet>().is_ok()));
    }
}
