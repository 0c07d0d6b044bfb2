//! Clients that take their time: in the handshake, in a head, between requests.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::raw_client::Raw;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, config, within};

#[tokio::test]
async fn a_client_that_never_shakes_hands_is_cut_off() {
    let server = "handshake = \"1s\"";
    let gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    let begin = Instant::now();
    let mut silent = Raw::plain(gateway.https()).await;
    let mut half = Raw::plain(gateway.https()).await;
    // The start of a record that holds a ClientHello of 512 bytes, which never comes.
    half.write([22, 3, 1, 2, 0, 1, 0, 1, 252]).await;

    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test", "the silent ones hold nobody up");

    silent.rest().await;
    half.rest().await;
    let took = begin.elapsed();
    assert!(
        took >= Duration::from_millis(900),
        "cut off after {took:?}, before the second was over"
    );
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_cut_off() {
    let server = "header = \"1s\"";
    let gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    for first in ["GET / HTTP/1.1\r\nHost: app.test\r\nX-Slow: ", ""] {
        let mut slow = Raw::tls(&gateway, "app.test").await;
        slow.write("G").await;
        let begin = Instant::now();
        slow.write(first.strip_prefix('G').unwrap_or("ET /")).await;
        within("a slow head to be cut off", drip(&mut slow)).await;
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(900), "cut off after {took:?}, while there was time");
        let answer = String::from_utf8_lossy(&slow.rest().await).into_owned();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408 "),
            "a slow head was answered with {answer:?}"
        );
    }
    let mut http = Http::http1(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test");
}

/// Sends a byte every tenth of a second, so that no time-out of idle periods ever fires, until the
/// server closes.
async fn drip<S>(slow: &mut Raw<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut pace = interval(Duration::from_millis(100));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = pace.tick() => if !slow.write("x").await { return },
            more = slow.has_more() => if !more { return },
        }
    }
}

#[tokio::test]
async fn a_plain_head_that_comes_byte_by_byte_is_cut_off_too() {
    let server = "header = \"1s\"";
    let gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    let mut slow = Raw::plain(gateway.http()).await;
    slow.write("GET / HTTP/1.1\r\nHost: app.te").await;
    within("a slow plain head to be cut off", drip(&mut slow)).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_keepalive() {
    let server = "keepalive = \"1s\"";
    let gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    for protocol in ["http/1.1", "h2"] {
        let tls = Tls::trusting(&gateway.local_ca()).alpn(&[protocol]);
        let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
        assert_eq!(http.get("/").await.text(), "app.test");
        let begin = Instant::now();
        http.closed().await;
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(900), "{protocol} was closed after {took:?}");
    }
}
