//! Addresses that are listened on come and go.

use std::net::SocketAddr;

use hyper::StatusCode;
use tokio::net::TcpStream;

use super::{reload, reloaded};
use crate::harness::gateway::Gateway;
use crate::harness::h2_frames::{self, GOAWAY, Http2Frames};
use crate::harness::http_client::Http;
use crate::harness::raw_client::Raw;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, config, eventually};

/// A configuration that listens for TLS on these.
fn on(https: &[&str]) -> String {
    let list: Vec<String> = https.iter().map(|address| format!("\"{address}\"")).collect();
    let https = format!("https = [{}]", list.join(", "));
    config("", &answering_site("app.test")).replace("https = [\"127.0.0.1:0\"]", &https)
}

/// The address behind "listening on " in what a reload says.
fn opened(said: &str, listener: &str) -> SocketAddr {
    let end = format!(" ({listener})");
    let lines = said.lines().filter_map(|line| line.strip_prefix("listening on "));
    let mut addresses = lines.filter_map(|line| line.strip_suffix(&end));
    addresses.next().expect(said).parse().unwrap()
}

async fn turned_away(address: SocketAddr) {
    eventually("newcomers to be turned away", async || {
        TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_address_is_served_and_an_old_one_given_up() {
    let gateway = Gateway::start(&on(&["127.0.0.1:0"])).await;
    let old = gateway.https();
    let mut http1 = Raw::tls(&gateway, "app.test").await;
    let request = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
    http1.write(request).await;
    assert_eq!(http1.reply().await.unwrap().0.field("connection"), None);
    let mut http2 = Http2Frames::connect(&gateway, "app.test").await;

    let said = reloaded(&gateway, &on(&["127.0.0.2:0", "127.0.0.3:0"])).await;
    assert!(said.contains(&format!("no longer listening on {old} (https)\n")), "{said}");
    let new = opened(&said, "https");
    assert_eq!(new.ip().to_string(), "127.0.0.2");
    turned_away(old).await;
    let tls = Tls::trusting(&gateway.local_ca());
    let mut http = Http::connect(&tls, new, "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test");

    // Who was there is asked to come back by another address, and not cut off.
    http1.write(request).await;
    let (head, body) = http1.reply().await.expect("cut off instead of an answer");
    assert_eq!((head.status, head.field("connection")), (200, Some("close")), "{head:?}");
    assert_eq!(body, b"app.test");
    assert!(http1.rest().await.is_empty());
    loop {
        let frame = http2.next().await.expect("the connection ended without GOAWAY");
        if frame.kind == GOAWAY {
            assert_eq!(frame.payload[4..8], [0; 4], "the error code of a GOAWAY that is no error");
            break;
        }
    }
    http2.request(1, &h2_frames::get("app.test", "/"), h2_frames::END_STREAM).await;
    assert_eq!(http2.outcome(1).await, h2_frames::Outcome::Status(200), "it was on its way");

    // The plain listener sends clients to the port that there is now.
    let mut plain = Http::plain(gateway.http(), "app.test:1").await;
    let location = plain.get("/x").await.header("location");
    assert_eq!(location, Some(format!("https://app.test:{}/x", new.port())));
}

#[tokio::test]
async fn an_address_that_stays_is_not_touched() {
    let gateway = Gateway::start(&on(&["127.0.0.1:0"])).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    let said = reloaded(&gateway, &on(&["127.0.0.1:0", "127.0.0.2:0"])).await;
    let second = opened(&said, "https");
    let said = reloaded(&gateway, &on(&["127.0.0.1:0"])).await;
    assert!(said.contains(&format!("no longer listening on {second} (https)\n")), "{said}");
    turned_away(second).await;
    for _ in 0..3 {
        let reply = http.get("/").await;
        assert_eq!((reply.status, reply.header("connection")), (StatusCode::OK, None));
    }
    Http::http1(&gateway, "app.test").await.get("/").await;
}

#[tokio::test]
async fn a_wildcard_takes_over_the_port_of_one_address() {
    let gateway = Gateway::start(&on(&["127.0.0.1:0"])).await;
    let said = reloaded(&gateway, &on(&["127.0.0.2:0"])).await;
    let one = opened(&said, "https");
    let wide = format!("0.0.0.0:{}", one.port());
    let said = reloaded(&gateway, &on(&[&wide])).await;
    assert!(said.contains(&format!("listening on {wide} (https)\n")), "{said}");
    let tls = Tls::trusting(&gateway.local_ca());
    for address in [one, SocketAddr::from(([127, 0, 0, 9], one.port()))] {
        let mut http = Http::connect(&tls, address, "app.test").await;
        assert_eq!(http.get("/").await.text(), "app.test");
    }
}

#[tokio::test]
async fn the_admin_listener_moves_and_answers_before_it_goes() {
    let gateway = Gateway::start(&on(&["127.0.0.1:0"])).await;
    let moved = on(&["127.0.0.1:0"]).replace("admin = \"127.0.0.1:0\"", "admin = \"127.0.0.2:0\"");
    let said = reload(&gateway, &moved).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let admin = opened(&said.stdout, "admin");
    turned_away(gateway.admin()).await;
    assert_eq!(Http::plain(admin, "localhost").await.get("/readyz").await.text(), "ready\n");
}
