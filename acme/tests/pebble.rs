//! Pebble as the tests use it: it starts, validates, issues and forgets. The client is instant-acme
//! itself, so that what fails here is the harness and not the gateway.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "every file here is a test or helps one: a panic is how a test fails"
)]

mod harness;

use std::net::Ipv4Addr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use harness::account::{self, is_bad_nonce, is_problem};
use harness::issue::{self, Issued};
use harness::pebble::{self, Options, Pebble};
use harness::responder::Responder;
use instant_acme::{ChallengeType, Error, ExternalAccountKey, Identifier, NewOrder};
use rustls::pki_types::UnixTime;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A pebble whose http-01 validations come to a responder.
async fn validating(options: Options) -> (Pebble, Responder) {
    let pebble = Pebble::start(options).await;
    let responder = Responder::start().await;
    pebble.http_at(responder.addr());
    (pebble, responder)
}

async fn account(pebble: &Pebble) -> instant_acme::Account {
    account::create(&pebble.directory_url(), Some(&pebble.ca_file())).await
}

async fn assert_good(pebble: &Pebble, issued: &Issued, name: &str) {
    issued.check(name, &pebble.root_pem().await, UnixTime::now()).unwrap();
}

#[tokio::test]
async fn http_01() {
    if !pebble::is_installed("a certificate of pebble's by http-01") {
        return;
    }
    let (pebble, responder) = validating(Options::default()).await;
    let names = issue::names(&["a.test", "b.test"]);
    let order = NewOrder::new(&names);
    let issued = issue::by_http(&account(&pebble).await, &responder, &order).await.unwrap();
    for name in ["a.test", "b.test"] {
        assert_good(&pebble, &issued, name).await;
    }
    assert!(pebble.http_relay().connections() > 0);
    assert!(pebble.dns_questions("a.test").await > 0);
}

#[tokio::test]
async fn http_01_of_an_ip_address() {
    if !pebble::is_installed("a certificate of pebble's for an IP address") {
        return;
    }
    let (pebble, responder) = validating(Options::default()).await;
    let names = [Identifier::Ip(Ipv4Addr::LOCALHOST.into())];
    let order = NewOrder::new(&names);
    let issued = issue::by_http(&account(&pebble).await, &responder, &order).await.unwrap();
    assert_good(&pebble, &issued, "127.0.0.1").await;
}

#[tokio::test]
async fn dns_01_of_a_wildcard() {
    if !pebble::is_installed("a certificate of pebble's by dns-01") {
        return;
    }
    let pebble = Pebble::start(Options::default()).await;
    let names = issue::names(&["*.a.test"]);
    let mut order = account(&pebble).await.new_order(&NewOrder::new(&names)).await.unwrap();
    let provide = async |_: &str, _: &str, key: instant_acme::KeyAuthorization| {
        pebble.set_txt("_acme-challenge.a.test", &key.dns_value()).await;
    };
    issue::authorize(&mut order, ChallengeType::Dns01, provide).await.unwrap();
    let issued = issue::finish(&mut order).await.unwrap();
    assert_good(&pebble, &issued, "www.a.test").await;
}

#[tokio::test]
async fn an_alias_of_the_challenge_is_followed() {
    if !pebble::is_installed("a certificate of pebble's by dns-01 and CNAME") {
        return;
    }
    let pebble = Pebble::start(Options::default()).await;
    pebble.set_cname("_acme-challenge.a.test", Some("elsewhere.test")).await;
    let names = issue::names(&["a.test"]);
    let mut order = account(&pebble).await.new_order(&NewOrder::new(&names)).await.unwrap();
    let provide = async |_: &str, _: &str, key: instant_acme::KeyAuthorization| {
        pebble.set_txt("elsewhere.test", &key.dns_value()).await;
    };
    issue::authorize(&mut order, ChallengeType::Dns01, provide).await.unwrap();
    let issued = issue::finish(&mut order).await.unwrap();
    assert_good(&pebble, &issued, "a.test").await;
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_not_validated() {
    if !pebble::is_installed("a challenge that pebble cannot fetch") {
        return;
    }
    let (pebble, responder) = validating(Options::default()).await;
    pebble.set_a("a.test", &[Ipv4Addr::new(127, 0, 0, 9)]).await;
    let account = account(&pebble).await;
    let names = issue::names(&["a.test"]);
    let order = NewOrder::new(&names);
    let error = issue::by_http(&account, &responder, &order).await.unwrap_err();
    assert!(matches!(error, Error::Api(_)), "{error:?}");
    assert_eq!(pebble.http_relay().connections(), 0);

    pebble.set_a("a.test", &[]).await;
    issue::by_http(&account, &responder, &order).await.unwrap();
}

#[tokio::test]
async fn external_accounts() {
    if !pebble::is_installed("pebble's external accounts") {
        return;
    }
    let secret = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let options = Options { external_accounts: vec![("kid-1", secret)], ..Options::default() };
    let pebble = Pebble::start(options).await;
    let (url, ca) = (pebble.directory_url(), pebble.ca_file());

    let error = account::try_create(&url, Some(&ca), None).await.err().unwrap();
    assert!(is_problem(&error, "externalAccountRequired"), "{error:?}");

    let wrong = ExternalAccountKey::new("kid-1".to_owned(), &[7; 48]);
    let error = account::try_create(&url, Some(&ca), Some(&wrong)).await.err().unwrap();
    assert!(is_problem(&error, "unauthorized"), "{error:?}");

    let secret = BASE64_URL_SAFE_NO_PAD.decode(secret).unwrap();
    let right = ExternalAccountKey::new("kid-1".to_owned(), &secret);
    drop(account::try_create(&url, Some(&ca), Some(&right)).await.unwrap());
}

#[tokio::test]
async fn half_of_the_nonces_are_refused() {
    if !pebble::is_installed("pebble's bad nonces") {
        return;
    }
    let options = Options { rejected_nonces: 50, ..Options::default() };
    let (pebble, responder) = validating(options).await;
    let account = account(&pebble).await;
    let names = issue::names(&["a.test"]);
    let order = NewOrder::new(&names);
    // instant-acme gives up after three; another order is another chance.
    let issued = loop {
        match issue::by_http(&account, &responder, &order).await {
            Ok(issued) => break issued,
            Err(error) => assert!(is_bad_nonce(&error), "{error:?}"),
        }
    };
    assert_good(&pebble, &issued, "a.test").await;
    assert!(pebble.log().contains("nonce"));
}

#[tokio::test]
async fn a_restart_forgets_everything() {
    if !pebble::is_installed("pebble's restart") {
        return;
    }
    let options = Options { always_valid: true, validity: Some(3600), ..Options::default() };
    let (mut pebble, responder) = validating(options).await;
    let names = issue::names(&["a.test"]);
    let order = NewOrder::new(&names);
    let before = account(&pebble).await;
    let issued = issue::by_http(&before, &responder, &order).await.unwrap();
    assert_eq!(pebble.http_relay().connections(), 0, "always valid");
    let (_, certificate) = X509Certificate::from_der(&issued.chain[0]).unwrap();
    let validity = certificate.validity();
    assert_eq!(validity.not_after.timestamp() - validity.not_before.timestamp(), 3599);
    let serial = format!("{:x}", certificate.serial);
    assert_eq!(pebble.certificate_status(&serial).await.as_deref(), Some("Valid"));

    let (url, root) = (pebble.directory_url(), pebble.root_pem().await);
    pebble.stop();
    account::try_create(&url, Some(&pebble.ca_file()), None).await.err().unwrap();
    pebble.restart().await;
    assert_eq!(pebble.directory_url(), url);
    assert_ne!(pebble.root_pem().await, root);
    assert_eq!(pebble.certificate_status(&serial).await, None);
    let error = issue::by_http(&before, &responder, &order).await.unwrap_err();
    assert!(is_problem(&error, "accountDoesNotExist"), "{error:?}");
    issue::by_http(&account(&pebble).await, &responder, &order).await.unwrap();
}

#[tokio::test]
async fn what_pebble_has_and_lacks() {
    if !pebble::is_installed("what pebble has and lacks") {
        return;
    }
    let options = Options {
        always_valid: true,
        blocked: vec!["blocked.test"],
        alternate_roots: 1,
        chain_length: Some(2),
        ..Options::default()
    };
    let (pebble, responder) = validating(options).await;
    let account = account(&pebble).await;
    let names = issue::names(&["a.test"]);
    let order = NewOrder::new(&names).profile("no such profile");
    let issued = issue::by_http(&account, &responder, &order).await.unwrap();
    assert_eq!(issued.chain.len(), 3);
    assert_good(&pebble, &issued, "a.test").await;
    assert_ne!(pebble.alternate_root_pem(1).await, pebble.root_pem().await);

    let names = issue::names(&["www.blocked.test"]);
    let error = account.new_order(&NewOrder::new(&names)).await.err().unwrap();
    assert!(is_problem(&error, "rejectedIdentifier"), "{error:?}");
    assert_eq!(account.profiles().count(), 0);
    let id = instant_acme::CertificateIdentifier::try_from(&issued.chain[0]).unwrap();
    let error = account.renewal_info(&id).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
}
