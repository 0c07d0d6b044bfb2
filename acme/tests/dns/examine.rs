//! What can be said about a provider without a change.

use gateway_acme::dns::{DnsError, Examined, ExecError, Provider, UpdateError};
use gateway_config::model::DnsProvider;

use crate::named::{KEYS, Named};
use crate::{ONE, ignorant, record};

const NS: &str = "@ NS ns1\nns1 A 127.0.0.1\n";
const NAME: &str = "_acme-challenge.example.test";

#[tokio::test]
async fn a_name_server_says_whether_it_takes_the_key() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let nameserver = ignorant().await;
    let record = record(NAME, ONE);
    let (server, zone, holder) = (named.address, "example.test".into(), NAME.into());
    let good = named.provider("edge", nameserver).examine(&record).await.unwrap();
    assert_eq!(good, Examined::Signed { server, zone, holder });
    let other = named.provider_with("nobody", "hmac-sha256", KEYS[0].2, nameserver);
    let error = other.examine(&record).await.unwrap_err();
    assert!(matches!(error, DnsError::Update(UpdateError::UnknownKey { .. })), "{error}");
    let wrong = named.provider_with("edge", "hmac-sha256", KEYS[3].2, nameserver);
    let error = wrong.examine(&record).await.unwrap_err();
    assert!(matches!(error, DnsError::Update(UpdateError::WrongSecret { .. })), "{error}");
    assert_eq!(named.texts(NAME), [""; 0], "nothing is changed");
}

#[tokio::test]
async fn a_zone_that_the_server_does_not_have() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let provider = named.provider("edge", ignorant().await);
    let error = provider.examine(&record("_acme-challenge.a.example", ONE)).await.unwrap_err();
    assert!(matches!(error, DnsError::Update(UpdateError::NoZone { .. })), "{error}");
}

#[tokio::test]
async fn a_program_is_looked_for_and_not_run() {
    let exec = async |program: &str| {
        let command = vec![program.to_owned(), "--never".to_owned()];
        let provider = Provider::new(&DnsProvider::Exec { command }, &[]).unwrap();
        provider.examine(&record(NAME, ONE)).await
    };
    assert!(matches!(exec("sh").await, Ok(Examined::Program { file }) if file.ends_with("/sh")));
    for missing in ["/no/such/program", "no-such-program"] {
        let error = exec(missing).await.unwrap_err();
        assert!(matches!(error, DnsError::Exec(ExecError::Start { .. })), "{error}");
    }
}
