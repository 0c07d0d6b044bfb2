//! What a scenario may aim at: loopback, and the hosts that it names.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use crate::scenario::{Host, Scenario};

/// Why a target is not aimed at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "{host} is {address}, which is not loopback, and `hosts` does not name {host}; \
         if you may put load on it, write hosts = [\"{host}\"] into the scenario"
    )]
    NotNamed { host: String, address: std::net::IpAddr },
    #[error(
        "verify = false is for loopback only, and {host} is {address}; \
         name the root certificate with `ca` of [tls]"
    )]
    Unverified { host: String, address: std::net::IpAddr },
    #[error("the name {host} has no address: {why}; correct `target`, or the name's records")]
    NoAddress { host: String, why: String },
}

/// The address that the load goes to. It is resolved once, and what was looked at is what is
/// connected to.
///
/// # Errors
///
/// A target that is neither loopback nor named, or that has no address.
pub(crate) fn address(scenario: &Scenario) -> Result<SocketAddr, Refused> {
    let addresses = allowed(scenario, |name, port| Ok((name, port).to_socket_addrs()?.collect()))?;
    Ok(answering(&addresses))
}

fn allowed(
    scenario: &Scenario,
    resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>>,
) -> Result<Vec<SocketAddr>, Refused> {
    let target = &scenario.target;
    let host = target.host.to_string();
    let no_address = |why: String| Refused::NoAddress { host: host.clone(), why };
    let addresses = match &target.host {
        Host::Address(address) => vec![SocketAddr::new(*address, target.port)],
        Host::Name(name) => {
            resolve(name, target.port).map_err(|error| no_address(error.to_string()))?
        }
    };
    if addresses.is_empty() {
        return Err(no_address("its records are empty".into()));
    }
    let fits = |address: &SocketAddr| {
        scenario.sources.iter().all(|source| source.is_ipv4() == address.is_ipv4())
    };
    let addresses: Vec<SocketAddr> = addresses.into_iter().filter(fits).collect();
    if addresses.is_empty() {
        return Err(no_address("none is of the same kind, IPv4 or IPv6, as `sources`".into()));
    }
    // One address elsewhere is enough: which one is taken must not depend on luck.
    let elsewhere = addresses.iter().find(|address| !address.ip().to_canonical().is_loopback());
    let Some(address) = elsewhere.map(SocketAddr::ip) else { return Ok(addresses) };
    if !scenario.hosts.contains(&host) {
        return Err(Refused::NotNamed { host, address });
    }
    if scenario.tls.as_ref().is_some_and(|tls| !tls.verify) {
        return Err(Refused::Unverified { host, address });
    }
    Ok(addresses)
}

/// The first address where somebody listens; the first of all where nobody does, so that the load
/// says why. `localhost` has two, and most servers listen on one.
fn answering(addresses: &[SocketAddr]) -> SocketAddr {
    const PATIENCE: Duration = Duration::from_secs(2);
    let answers = |address: &&SocketAddr| TcpStream::connect_timeout(address, PATIENCE).is_ok();
    match addresses {
        [only] => *only,
        several => *several.iter().find(answers).unwrap_or(&several[0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::read_text;

    const LOOPBACK: &str = "127.0.0.1:9";
    const ELSEWHERE: &str = "192.0.2.1:9";

    fn aimed(scenario: &str, records: &[&str]) -> Result<Vec<SocketAddr>, Refused> {
        let records: Vec<SocketAddr> = records.iter().map(|text| text.parse().unwrap()).collect();
        allowed(&read_text(scenario).unwrap(), |_, _| Ok(records.clone()))
    }

    #[test]
    fn names_are_judged_by_all_of_their_addresses() {
        let shop = "target = \"http://shop.test:9\"\n";
        assert_eq!(aimed(shop, &[LOOPBACK]).unwrap(), [LOOPBACK.parse().unwrap()]);
        assert!(aimed(shop, &["[::1]:9", LOOPBACK]).is_ok());
        for records in [&[ELSEWHERE][..], &[LOOPBACK, ELSEWHERE], &["0.0.0.0:9"], &["[::]:9"]] {
            let refused = aimed(shop, records);
            assert!(matches!(refused, Err(Refused::NotNamed { .. })), "{refused:?}");
        }
        assert!(matches!(aimed(shop, &[]), Err(Refused::NoAddress { .. })));
        let from = format!("{shop}sources = [\"127.0.0.2\"]\n");
        assert_eq!(aimed(&from, &["[::1]:9", LOOPBACK]).unwrap(), [LOOPBACK.parse().unwrap()]);
        assert!(matches!(aimed(&from, &["[::1]:9"]), Err(Refused::NoAddress { .. })));
    }

    #[test]
    fn hosts_name_what_else_may_be_aimed_at() {
        let named = |host: &str| format!("target = \"http://Shop.test:9\"\nhosts = [\"{host}\"]\n");
        assert!(aimed(&named("SHOP.test"), &[ELSEWHERE]).is_ok());
        assert!(aimed(&named("other.test"), &[ELSEWHERE]).is_err());
    }

    #[test]
    fn refusals_say_what_to_do() {
        let said = |text: &str, records: &[&str]| aimed(text, records).unwrap_err().to_string();
        let shop = "target = \"https://shop.test:9\"\n";
        assert_eq!(
            said(shop, &[ELSEWHERE]),
            "shop.test is 192.0.2.1, which is not loopback, and `hosts` does not name shop.test; \
             if you may put load on it, write hosts = [\"shop.test\"] into the scenario"
        );
        assert_eq!(
            said(&format!("{shop}hosts = [\"shop.test\"]\n[tls]\nverify = false\n"), &[ELSEWHERE]),
            "verify = false is for loopback only, and shop.test is 192.0.2.1; \
             name the root certificate with `ca` of [tls]"
        );
        assert_eq!(
            said(shop, &[]),
            "the name shop.test has no address: its records are empty; \
             correct `target`, or the name's records"
        );
    }

    #[test]
    fn certificates_may_be_ignored_on_loopback_only() {
        let text =
            "target = \"https://shop.test:9\"\nhosts = [\"shop.test\"]\n[tls]\nverify = false\n";
        assert!(aimed(text, &[LOOPBACK]).is_ok());
        assert!(matches!(aimed(text, &[ELSEWHERE]), Err(Refused::Unverified { .. })));
    }
}
