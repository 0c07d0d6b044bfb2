//! The first certificate, by each challenge.

use super::{Options, Pebble, acme, dns_hook, gateway, issued, pebble, site};
use crate::harness::answering_site_with;
use crate::harness::http_client::Http;
use crate::harness::tls_client::Tls;

#[tokio::test]
async fn http_01_and_until_then_the_local_ca() {
    if !pebble::is_installed("a certificate by http-01") {
        return;
    }
    // It takes a while to come and look.
    let options = Options { validation_sleep: Some(3), ..Options::default() };
    let pebble = Pebble::start(options).await;
    let rest = acme(&pebble, "challenges = [\"http-01\"]") + &site("a.test");
    let gateway = gateway(&pebble, &rest).await;
    Tls::trusting(&gateway.local_ca()).connect(gateway.https(), "a.test").await;
    let ready = Http::plain(gateway.admin(), "localhost").await.get("/readyz").await;
    assert!(
        ready.text().contains("a.test: served with a certificate of the local CA"),
        "{ready:?}"
    );
    issued(&gateway, &pebble, "a.test").await;
    assert!(pebble.http_relay().connections() > 0);
    let ready = Http::plain(gateway.admin(), "localhost").await.get("/readyz").await;
    assert_eq!(ready.text(), "ready\n");
}

#[tokio::test]
async fn tls_alpn_01() {
    if !pebble::is_installed("a certificate by tls-alpn-01") {
        return;
    }
    let pebble = Pebble::start(Options::default()).await;
    by(&pebble, "tls-alpn-01", "a.test").await;
    assert!(pebble.tls_relay().connections() > 0);
    assert_eq!(pebble.http_relay().connections(), 0);
}

#[tokio::test]
async fn a_wildcard_by_dns_01() {
    if !pebble::is_installed("a wildcard by dns-01") {
        return;
    }
    let pebble = Pebble::start(Options::default()).await;
    wildcard(&pebble).await;
    assert_eq!(pebble.http_relay().connections() + pebble.tls_relay().connections(), 0);
}

#[tokio::test]
async fn an_address() {
    if !pebble::is_installed("a certificate for an address") {
        return;
    }
    let pebble = Pebble::start(Options::default()).await;
    let rest = acme(&pebble, "challenges = [\"http-01\"]") + &site("127.0.0.1");
    let gateway = gateway(&pebble, &rest).await;
    issued(&gateway, &pebble, "127.0.0.1").await;
}

#[tokio::test]
async fn external_accounts() {
    if !pebble::is_installed("an external account") {
        return;
    }
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let options = Options { external_accounts: vec![("kid-1", key)], ..Options::default() };
    let pebble = Pebble::start(options).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eab");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    let acme = format!(
        "[acme]\ncontact = [\"mailto:ops@example.com\"]\ndirectory = {{ ca = \"{}\", roots = \"{}\", \
         eab = {{ key_id = \"kid-1\", key = {{ file = \"{}\" }} }} }}\n",
        pebble.directory_url(),
        pebble.ca_file().display(),
        file.display()
    );
    let gateway = gateway(&pebble, &(acme + &site("a.test"))).await;
    issued(&gateway, &pebble, "a.test").await;
    assert!(!gateway.events().contains(key), "the key is in the log");
}

#[tokio::test]
async fn each_challenge_though_half_of_the_nonces_are_refused_and_validation_dawdles() {
    if !pebble::is_installed("bad nonces") {
        return;
    }
    let options =
        || Options { rejected_nonces: 50, validation_sleep: Some(2), ..Options::default() };
    let rough = [Pebble::start(options()).await, Pebble::start(options()).await];
    let third = Pebble::start(options()).await;
    tokio::join!(
        by(&rough[0], "http-01", "a.test"),
        by(&rough[1], "tls-alpn-01", "a.test"),
        wildcard(&third)
    );
}

async fn by(pebble: &Pebble, challenge: &str, name: &str) {
    let rest = acme(pebble, &format!("challenges = [\"{challenge}\"]")) + &site(name);
    let gateway = gateway(pebble, &rest).await;
    issued(&gateway, pebble, name).await;
    assert!(!gateway.events().contains("acme_failed"), "{}", gateway.events());
}

async fn wildcard(pebble: &Pebble) {
    let folder = tempfile::tempdir().unwrap();
    let rest = acme(pebble, &dns_hook(pebble, folder.path()))
        + &answering_site_with("a.test", "tls = \"acme\"\naliases = [\"*.a.test\"]");
    let gateway = gateway(pebble, &rest).await;
    for name in ["a.test", "www.a.test"] {
        issued(&gateway, pebble, name).await;
    }
    assert!(!gateway.events().contains("acme_failed"), "{}", gateway.events());
}
