//! The first certificate, by each challenge.

use super::{Options, Pebble, acme, gateway, issued, pebble, site};
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
    let rest = acme(&pebble, "challenges = [\"tls-alpn-01\"]") + &site("a.test");
    let gateway = gateway(&pebble, &rest).await;
    issued(&gateway, &pebble, "a.test").await;
    assert!(pebble.tls_relay().connections() > 0);
    assert_eq!(pebble.http_relay().connections(), 0);
}
