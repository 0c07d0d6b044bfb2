//! `maintenance`: 503 for everybody but a few, by the client's real address.

use std::net::IpAddr;

use gateway_config::model::Maintenance;

use super::Refused;

/// Lets the client in where nothing is being worked on, and those who look after the work.
pub(crate) fn check(maintenance: Option<&Maintenance>, client: IpAddr) -> Result<(), Refused> {
    let Some(maintenance) = maintenance else { return Ok(()) };
    if maintenance.allow.iter().any(|net| net.contains(&client)) {
        return Ok(());
    }
    let wait = maintenance.retry_after;
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Err(Refused::Maintenance { retry_after: seconds.max(1) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_those_on_the_list_come_in() {
        let allow = ["203.0.113.0/24", "2001:db8::/32"].map(|net| net.parse().unwrap()).to_vec();
        let work = Maintenance { allow, retry_after: Duration::from_millis(1500), page: None };
        let wait = |client: &str| match check(Some(&work), client.parse().unwrap()) {
            Ok(()) => None,
            Err(Refused::Maintenance { retry_after }) => Some(retry_after),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(wait("203.0.113.9"), None);
        assert_eq!(wait("2001:db8::1"), None);
        assert_eq!(wait("203.0.114.9"), Some(2));
        assert!(check(None, "192.0.2.1".parse().unwrap()).is_ok());
    }
}
