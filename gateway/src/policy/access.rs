//! `allow` and `deny`, by the client's real address.

use std::net::IpAddr;

use gateway_config::model::Access;

use super::Refused;

/// Lets the client in where every level agrees.
pub(crate) fn check(levels: &[Access], client: IpAddr) -> Result<(), Refused> {
    let holds = |nets: &[ipnet::IpNet]| nets.iter().any(|net| net.contains(&client));
    let refused = levels
        .iter()
        .any(|level| holds(&level.deny) || (!level.allow.is_empty() && !holds(&level.allow)));
    if refused { Err(Refused::Address) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(allow: &[&str], deny: &[&str]) -> Access {
        let nets = |list: &[&str]| list.iter().map(|net| net.parse().unwrap()).collect();
        Access { allow: nets(allow), deny: nets(deny) }
    }

    #[test]
    fn every_level_must_agree() {
        let levels = [access(&["10.0.0.0/8", "::1/128"], &[]), access(&[], &["10.6.6.0/24"])];
        let allowed = |client: &str| check(&levels, client.parse().unwrap()).is_ok();
        assert!(allowed("10.1.2.3"));
        assert!(allowed("::1"));
        assert!(!allowed("10.6.6.6"));
        assert!(!allowed("192.0.2.1"));
        assert!(check(&[], "192.0.2.1".parse().unwrap()).is_ok());
    }
}
