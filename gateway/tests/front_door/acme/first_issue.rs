//! The first certificate, by each challenge.

use super::{Options, Pebble, acme, as_cas_are, dns_hook, gateway, issued, pebble, site};
use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site_with, config};

#[tokio::test]
async fn until_then_the_local_ca_stands_in_and_readyz_says_so() {
    let rest = "[acme]\ndirectory = \"https://127.0.0.1:1/dir\"\n".to_owned() + &site("a.test");
    let gateway = Gateway::start(&config("", &rest)).await;
    Tls::trusting(&gateway.local_ca()).connect(gateway.https(), "a.test").await;
    let ready = Http::plain(gateway.admin(), "localhost").await.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert!(
        ready.text().contains("a.test: served with a certificate of the local CA"),
        "{ready:?}"
    );
}

#[tokio::test]
async fn http_01() {
    if !pebble::is_installed("a certificate by http-01") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
    let gateway = by(&pebble, "http-01", "a.test").await;
    assert!(pebble.http_relay().connections() > 0);
    let ready = Http::plain(gateway.admin(), "localhost").await.get("/readyz").await;
    assert_eq!(ready.text(), "ready\n");
}

#[tokio::test]
async fn tls_alpn_01() {
    if !pebble::is_installed("a certificate by tls-alpn-01") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
    by(&pebble, "tls-alpn-01", "a.test").await;
    assert!(pebble.tls_relay().connections() > 0);
    assert_eq!(pebble.http_relay().connections(), 0);
}

#[tokio::test]
async fn a_wildcard_by_dns_01() {
    if !pebble::is_installed("a wildcard by dns-01") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
    wildcard(&pebble).await;
    assert_eq!(pebble.http_relay().connections() + pebble.tls_relay().connections(), 0);
}

#[tokio::test]
async fn an_address() {
    if !pebble::is_installed("a certificate for an address") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
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
    let options = Options { external_accounts: vec![("kid-1", key)], ..as_cas_are() };
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

async fn by(pebble: &Pebble, challenge: &str, name: &str) -> Gateway {
    let rest = acme(pebble, &format!("challenges = [\"{challenge}\"]")) + &site(name);
    let gateway = gateway(pebble, &rest).await;
    issued(&gateway, pebble, name).await;
    assert!(!gateway.events().contains("acme_failed"), "{}", gateway.events());
    gateway
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
