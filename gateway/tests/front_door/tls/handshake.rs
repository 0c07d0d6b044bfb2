//! Versions, protocols, key exchange and resumption.
//!
//! What nginx did: TLS 1.2 and 1.3 with forward secrecy, HTTP/2 and HTTP/1.1 by ALPN, sessions cached
//! for a day.

use hyper::Version;
use tokio_rustls::rustls::{NamedGroup, ProtocolVersion};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, config};

async fn gateway() -> Gateway {
    Gateway::start(&config("", &answering_site("app.test"))).await
}

#[tokio::test]
async fn http2_is_chosen_where_the_client_offers_both() {
    let gateway = gateway().await;
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1", "h2"]);
    let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
    assert_eq!(http.facts().alpn.as_deref(), Some("h2"));
    let reply = http.get("/").await;
    assert_eq!((reply.version, reply.text().as_str()), (Version::HTTP_2, "app.test"));
}

#[tokio::test]
async fn http1_is_chosen_where_the_client_offers_nothing_else() {
    let gateway = gateway().await;
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]);
    let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
    assert_eq!(http.facts().alpn.as_deref(), Some("http/1.1"));
    let reply = http.get("/").await;
    assert_eq!((reply.version, reply.text().as_str()), (Version::HTTP_11, "app.test"));
}

#[tokio::test]
async fn http1_is_spoken_to_a_client_without_alpn() {
    let gateway = gateway().await;
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&[]);
    let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
    assert_eq!(http.facts().alpn, None);
    assert_eq!(http.get("/").await.text(), "app.test");
}

#[tokio::test]
async fn a_client_that_offers_only_unknown_protocols_is_refused() {
    let gateway = gateway().await;
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["smtp"]);
    let refused = tls.refused(gateway.https(), "app.test").await;
    let alert = format!("{:?}", refused.alert());
    assert_eq!(alert, "Some(NoApplicationProtocol)", "{}", refused.error);
}

#[tokio::test]
async fn tls_1_3_is_preferred_and_tls_1_2_is_spoken() {
    let gateway = gateway().await;
    let ca = gateway.local_ca();
    let cases = [
        (Tls::trusting(&ca), ProtocolVersion::TLSv1_3),
        (Tls::trusting(&ca).tls13(), ProtocolVersion::TLSv1_3),
        (Tls::trusting(&ca).tls12(), ProtocolVersion::TLSv1_2),
    ];
    for (tls, version) in cases {
        let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
        assert_eq!(http.facts().version, version);
        assert_eq!(http.get("/").await.text(), "app.test", "over {version:?}");
    }
}

#[tokio::test]
async fn x25519mlkem768_is_negotiated_and_logged() {
    let gateway = gateway().await;
    let ca = gateway.local_ca();
    let offers = [
        Tls::trusting(&ca).groups(&[NamedGroup::X25519MLKEM768, NamedGroup::X25519]),
        Tls::trusting(&ca).groups(&[NamedGroup::X25519MLKEM768]),
    ];
    for (number, tls) in offers.iter().enumerate() {
        let mut http = Http::connect(tls, gateway.https(), "app.test").await;
        assert_eq!(http.facts().group, Some(NamedGroup::X25519MLKEM768));
        let path = format!("/kx/{number}");
        http.get(&path).await;
        let record = gateway.record_of(&path).await;
        assert_eq!(record["kx"], "X25519MLKEM768", "{record}");
    }
}

#[tokio::test]
async fn a_client_without_the_hybrid_group_falls_back_to_x25519() {
    let gateway = gateway().await;
    let tls = Tls::trusting(&gateway.local_ca()).groups(&[NamedGroup::X25519]);
    let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
    assert_eq!(http.facts().group, Some(NamedGroup::X25519));
    assert_eq!(http.get("/").await.text(), "app.test");
}

#[tokio::test]
async fn a_second_connection_resumes_by_ticket() {
    let gateway = gateway().await;
    let ca = gateway.local_ca();
    for (name, tls) in [("1.3", Tls::trusting(&ca).tls13()), ("1.2", Tls::trusting(&ca).tls12())] {
        let mut first = Http::connect(&tls, gateway.https(), "app.test").await;
        assert!(!first.facts().resumed, "the first handshake of TLS {name} had nothing to resume");
        // The tickets of TLS 1.3 come behind the handshake, so a reply must be read first.
        first.get("/first").await;
        let mut second = Http::connect(&tls, gateway.https(), "app.test").await;
        assert!(second.facts().resumed, "TLS {name} did not resume: {:?}", second.facts());
        let path = format!("/resumed/{name}");
        assert_eq!(second.get(&path).await.text(), "app.test");
        let record = gateway.record_of(&path).await;
        assert_eq!(record["resumed"], true, "TLS {name}: {record}");
    }
    let record = gateway.record_of("/first").await;
    assert_ne!(record["resumed"], true, "{record}");
}

#[tokio::test]
async fn every_worker_takes_the_tickets_of_the_others() {
    let gateway = Gateway::start(&config("workers = 4", &answering_site("app.test"))).await;
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]);
    Http::connect(&tls, gateway.https(), "app.test").await.get("/").await;
    for round in 0..24 {
        let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
        assert!(http.facts().resumed, "connection {round} did not resume");
        http.get("/").await;
    }
}
