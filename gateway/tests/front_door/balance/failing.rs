//! Passive health, `fail` (nginx's `max_fails=3 fail_timeout=30s` of the old front door): a server that
//! requests fail on is left out, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::StatusCode;
use tokio::io::AsyncWriteExt;

use super::{answers, closing, metric, of, start};
use crate::harness::eventually;
use crate::harness::http_client::{Http, post};
use crate::harness::origin::{Origin, read_head};
use crate::harness::replies::full;

/// A server that closes connections unanswered until it is told to be good.
async fn reformed() -> (Origin, Arc<AtomicBool>) {
    let good = Arc::<AtomicBool>::default();
    let is_good = Arc::clone(&good);
    let origin = Origin::raw(move |mut stream, _| {
        let good = Arc::clone(&is_good);
        async move {
            while read_head(&mut stream).await.is_some() && good.load(Ordering::SeqCst) {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nreformed";
                stream.write_all(answer).await.unwrap();
            }
        }
    })
    .await;
    (origin, good)
}

#[tokio::test]
async fn a_server_that_three_requests_in_a_row_fail_on_is_left_out() {
    let (bad, good) = (closing().await, Origin::text("good").await);
    let gateway = start(&[&bad, &good], "").await;
    for mut http in Http::both(&gateway, "app.test").await {
        assert_eq!(of(&answers(&mut http, "/", 20).await, "good"), 20);
    }
    assert_eq!(bad.connections(), 3, "it was asked again after three failures");
    let events = gateway.events();
    assert!(events.contains("server_out") && events.contains("3 requests failed in a row"));
    let servers = "gateway_upstream_servers";
    let label = format!("server=\"{}\"", bad.addr());
    assert_eq!(metric(&gateway, servers, &[&label, "state=\"out\""]).await, 1.0);
    assert_eq!(metric(&gateway, servers, &[&label, "state=\"in\""]).await, 0.0);
    assert_eq!(metric(&gateway, servers, &["upstream=\"app\"", "state=\"in\""]).await, 1.0);
}

#[tokio::test]
async fn after_its_time_one_request_tries_it_and_a_success_brings_it_back() {
    let (origin, good) = reformed().await;
    let other = Origin::text("other").await;
    let gateway = start(&[&origin, &other], "fail = { max = 1, within = \"300ms\" }").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 6).await, "other"), 6);
    good.store(true, Ordering::SeqCst);
    eventually("the server to be tried", async || {
        let mut http = Http::http2(&gateway, "app.test").await;
        (http.get("/").await.text() == "reformed").then_some(())
    })
    .await;
    assert_eq!(of(&answers(&mut http, "/", 10).await, "reformed"), 5, "it has its share again");
    assert!(gateway.events().contains("server_back"), "{}", gateway.events());
}

#[tokio::test]
async fn an_only_server_is_never_left_out() {
    let (origin, good) = reformed().await;
    let gateway = start(&[&origin], "fail = { max = 1, within = \"1h\" }\nretries = 0").await;
    let mut http = Http::http1(&gateway, "app.test").await;
    for asked in 1..=5 {
        assert_eq!(http.get("/").await.status, StatusCode::BAD_GATEWAY);
        assert_eq!(origin.connections(), asked);
    }
    assert!(!gateway.events().contains("server_out"), "{}", gateway.events());
    good.store(true, Ordering::SeqCst);
    assert_eq!(http.get("/").await.text(), "reformed");
}

#[tokio::test]
async fn where_all_are_left_out_all_are_tried() {
    let ((one, one_good), (two, two_good)) = (reformed().await, reformed().await);
    let gateway = start(&[&one, &two], "fail = { max = 1, within = \"1h\" }").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::BAD_GATEWAY);
    assert_eq!((one.connections(), two.connections()), (1, 1), "the request tried both");
    assert!(gateway.events().contains("servers_out"), "{}", gateway.events());
    assert_eq!(http.get("/").await.status, StatusCode::BAD_GATEWAY);
    assert_eq!((one.connections(), two.connections()), (2, 2), "and the next one too");
    one_good.store(true, Ordering::SeqCst);
    two_good.store(true, Ordering::SeqCst);
    assert_eq!(of(&answers(&mut http, "/", 4).await, "reformed"), 4);
}

#[tokio::test]
async fn it_can_be_turned_off() {
    let (bad, good) = (closing().await, Origin::text("good").await);
    let gateway = start(&[&bad, &good], "fail = false").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 20).await, "good"), 20);
    assert_eq!(bad.connections(), 10, "it was left out");
}

#[tokio::test]
async fn requests_that_are_answered_are_no_failures_whatever_the_status() {
    let failing = Origin::http(async |_| {
        crate::harness::origin::status(StatusCode::INTERNAL_SERVER_ERROR, "an application's")
    })
    .await;
    let good = Origin::text("good").await;
    let gateway = start(&[&failing, &good], "").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for _ in 0..10 {
        http.request(post("/", full("x"))).await;
    }
    assert_eq!(failing.seen().len(), 5);
}
