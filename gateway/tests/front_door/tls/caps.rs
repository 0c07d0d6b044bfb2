//! Caps on connections: the one beyond is closed, the others live, and a place that becomes free
//! can be taken.

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, config, eventually};

async fn open(gateway: &Gateway, source: &str) -> Http {
    let mut http = Http::http1_from(gateway, "app.test", source).await;
    assert_eq!(http.get("/").await.text(), "app.test");
    http
}

async fn is_closed(gateway: &Gateway, source: &str) {
    let tls = Tls::trusting(&gateway.local_ca()).from(source);
    let refused = tls.refused(gateway.https(), "app.test").await;
    assert!(!refused.saw_certificate, "the handshake went on: {}", refused.error);
}

async fn all_live(connections: &mut [Http]) {
    for http in connections {
        assert_eq!(http.get("/").await.text(), "app.test");
    }
}

#[tokio::test]
async fn one_client_may_hold_so_many_connections() {
    let server = "max_connections_per_client = 3\nworkers = 2";
    let gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(open(&gateway, "127.0.0.1").await);
    }
    is_closed(&gateway, "127.0.0.1").await;
    held.push(open(&gateway, "127.0.0.2").await);
    all_live(&mut held).await;

    drop(held.remove(0));
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]);
    eventually("the freed place to be given away", async || {
        tls.try_connect(gateway.https(), "app.test").await.ok()
    })
    .await;
    all_live(&mut held).await;
}

#[tokio::test]
async fn all_clients_together_may_hold_so_many_connections() {
    let server = "max_connections = 3\nmax_connections_per_client = 2\nworkers = 2";
    let gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    let mut held = Vec::new();
    for source in ["127.0.0.1", "127.0.0.2", "127.0.0.3"] {
        held.push(open(&gateway, source).await);
    }
    is_closed(&gateway, "127.0.0.4").await;
    all_live(&mut held).await;

    drop(held.remove(0));
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]).from("127.0.0.4");
    eventually("the freed place to be given away", async || {
        tls.try_connect(gateway.https(), "app.test").await.ok()
    })
    .await;
    all_live(&mut held).await;
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_counts_too() {
    let server = "max_connections_per_client = 2\nworkers = 1\nhandshake = \"60s\"";
    let gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    let silent = Tls::trusting(&gateway.local_ca()).from("127.0.0.1");
    let one = silent.tcp(gateway.https()).await.unwrap();
    let two = silent.tcp(gateway.https()).await.unwrap();
    is_closed(&gateway, "127.0.0.1").await;
    drop(open(&gateway, "127.0.0.2").await);
    drop((one, two));
}

#[tokio::test]
async fn trusted_proxies_are_not_counted() {
    let server = "max_connections_per_client = 2\ntrusted_proxies = [\"127.0.0.2/32\"]";
    let gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(open(&gateway, "127.0.0.2").await);
    }
    all_live(&mut held).await;
}
