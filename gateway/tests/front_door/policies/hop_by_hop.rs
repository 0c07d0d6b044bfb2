//! Headers of one connection, which go no further (RFC 9110, section 7.6.1).
//!
//! What nginx did: `Connection` set twice for Grafana, which broke its live view.

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::{Origin, echoed, echoed_once, read_head};
use crate::harness::raw_client::Raw;
use crate::harness::{config, one_site};

async fn sent(lines: &str) -> Value {
    let origin = Origin::echo().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write(format!("GET / HTTP/1.1\r\nHost: app.test\r\n{lines}\r\n")).await;
    let (head, body) = raw.reply().await.expect("closed without an answer");
    assert_eq!(head.status, 200, "{head:?}");
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn the_client_s_connection_is_not_the_origin_s() {
    let seen = sent(
        "Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic c2VjcmV0\r\nTE: gzip\r\n\
         X-End: 2\r\n",
    )
    .await;
    for name in ["x-hop", "keep-alive", "proxy-connection", "proxy-authorization", "te"] {
        assert_eq!(echoed(&seen, name), Vec::<String>::new(), "{name} reached the origin");
    }
    let connection = echoed(&seen, "connection").join(",").to_ascii_lowercase();
    assert!(!connection.contains("close") && !connection.contains("x-hop"), "{connection}");
    assert_eq!(echoed(&seen, "x-end"), ["2"]);
}

#[tokio::test]
async fn connection_cannot_take_away_what_the_gateway_says() {
    let seen = sent(
        "Connection: X-Forwarded-For, X-Real-IP, X-Forwarded-Proto, X-Forwarded-Host, \
         X-Request-Id, Host\r\n",
    )
    .await;
    assert_eq!(echoed_once(&seen, "x-real-ip").as_deref(), Some("127.0.0.1"));
    assert_eq!(echoed_once(&seen, "x-forwarded-for").as_deref(), Some("127.0.0.1"));
    assert_eq!(echoed_once(&seen, "x-forwarded-proto").as_deref(), Some("https"));
    assert_eq!(echoed_once(&seen, "x-forwarded-host").as_deref(), Some("app.test"));
    assert_eq!(echoed_once(&seen, "host").as_deref(), Some("app.test"));
    assert!(echoed_once(&seen, "x-request-id").is_some());
}

#[tokio::test]
async fn an_upgrade_that_is_no_websocket_is_not_passed_on() {
    // Upgrading to h2c behind a front door leads around its rules.
    let seen = sent(
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
    )
    .await;
    for name in ["upgrade", "http2-settings"] {
        assert_eq!(echoed(&seen, name), Vec::<String>::new(), "{name} reached the origin");
    }
}

#[tokio::test]
async fn the_origin_s_connection_is_not_the_client_s() {
    let origin = Origin::raw(|mut stream, _| async move {
        while read_head(&mut stream).await.is_some() {
            let answer =
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop, Keep-Alive\r\n\
                           X-Hop: 1\r\nKeep-Alive: timeout=5, max=9\r\nProxy-Connection: close\r\n\
                           Upgrade: h2,h2c\r\nX-End: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for _ in 0..2 {
            let reply = http.get("/").await;
            for name in ["x-hop", "keep-alive", "proxy-connection", "upgrade"] {
                assert_eq!(reply.header(name), None, "{name} over {:?}", http.version());
            }
            assert_eq!(reply.header("x-end").as_deref(), Some("2"));
        }
    }
}

#[tokio::test]
async fn an_origin_that_closes_does_not_close_the_client() {
    let origin = Origin::raw(|mut stream, _| async move {
        if read_head(&mut stream).await.is_some() {
            let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end";
            stream.write_all(answer).await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for _ in 0..3 {
            let reply = http.get("/").await;
            assert_eq!(reply.text(), "until the end", "over {:?}", http.version());
            assert_ne!(reply.header("connection").as_deref(), Some("close"));
        }
    }
}
