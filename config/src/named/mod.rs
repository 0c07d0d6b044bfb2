//! Networks that have a name.

mod cloudflare;
mod github;

use std::net::IpAddr;

use ipnet::IpNet;

pub(crate) use cloudflare::CLOUDFLARE;
pub(crate) use github::GITHUB_HOOKS;

/// A list of networks that a configuration can name.
pub(crate) struct NamedNetworks {
    pub(crate) name: &'static str,
    pub(crate) blocks: &'static [&'static str],
    /// The header in which this provider names the client, on every request.
    pub(crate) client_header: Option<&'static str>,
}

/// Networks that are not routed on the internet: RFC 1918, loopback, and the unique local
/// addresses of RFC 4193.
pub(crate) static PRIVATE: NamedNetworks = NamedNetworks {
    name: "private",
    blocks: &[
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "::1/128",
        "fc00::/7",
    ],
    client_header: None,
};

/// Whether an address is one of Cloudflare's.
#[must_use]
pub fn is_cloudflare(address: IpAddr) -> bool {
    CLOUDFLARE.networks().iter().any(|network| network.contains(&address))
}

impl NamedNetworks {
    pub(crate) fn networks(&self) -> Vec<IpNet> {
        // A test holds every block to be one.
        self.blocks.iter().filter_map(|block| block.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_a_network_without_host_bits() {
        for named in [&CLOUDFLARE, &GITHUB_HOOKS, &PRIVATE] {
            let networks = named.networks();
            assert_eq!(networks.len(), named.blocks.len(), "{}", named.name);
            assert!(networks.iter().all(|network| network.trunc() == *network));
        }
    }

    #[test]
    fn cloudflare_publishes_fifteen_and_seven() {
        let networks = CLOUDFLARE.networks();
        let v4 = networks.iter().filter(|network| matches!(network, IpNet::V4(_)));
        assert_eq!((v4.count(), networks.len()), (15, 22));
    }
}
