//! Active health checks, and what a server gets that they bring back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;

use super::{answers, app, metric, of, start};
use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::replies::full;
use crate::harness::{answering_site, config, eventually};
use crate::reloading::reloaded;

/// A server that answers checks of `/up` with a status of the test's; 0: with none.
async fn patient(text: &'static str) -> (Origin, Arc<AtomicU16>) {
    let health = Arc::new(AtomicU16::new(200));
    let shown = Arc::clone(&health);
    let origin = Origin::http(move |request: Request<_>| {
        let health = shown.load(Ordering::SeqCst);
        async move {
            let mut response = Response::new(full(text));
            if request.uri().path() == "/up" {
                assert_eq!(request.headers()["host"], "checked.test");
                if health == 0 {
                    std::future::pending::<()>().await;
                }
                *response.status_mut() = StatusCode::from_u16(health).unwrap();
            }
            response
        }
    })
    .await;
    (origin, health)
}

/// What is asked often, so that tests need not wait.
fn health(keys: &str) -> String {
    format!(
        "health = {{ path = \"/up\", host = \"checked.test\", every = \"30ms\", timeout = \"300ms\", \
         unhealthy_after = 2, healthy_after = 2{keys} }}"
    )
}

async fn said(gateway: &Gateway, event: &str, why: &str) {
    eventually(&format!("{event}: {why}"), async || {
        let events = gateway.events();
        let mut lines = events.lines();
        lines.any(|line| line.contains(event) && line.contains(why)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_whose_checks_fail_is_left_out_until_they_pass() {
    let ((one, one_health), (two, _)) = (patient("one").await, patient("two").await);
    let gateway = start(&[&one, &two], &health("")).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 6).await, "one"), 3);
    for (status, why) in [(503, "it answered 503"), (302, "it answered 302"), (0, "longer than")] {
        one_health.store(status, Ordering::SeqCst);
        said(&gateway, "server_out", why).await;
        assert_eq!(of(&answers(&mut http, "/", 6).await, "two"), 6, "{why}");
        one_health.store(204, Ordering::SeqCst);
        eventually("it to be asked again", async || {
            let mut http = Http::http2(&gateway, "app.test").await;
            (http.get("/").await.text() == "one").then_some(())
        })
        .await;
    }
    said(&gateway, "server_back", "its health checks pass").await;
    let checks = "gateway_upstream_health_checks_total";
    assert!(metric(&gateway, checks, &["upstream=\"app\"", "result=\"passed\""]).await >= 4.0);
    assert!(metric(&gateway, checks, &["upstream=\"app\"", "result=\"failed\""]).await >= 6.0);
}

#[tokio::test]
async fn a_list_of_statuses_says_what_is_good() {
    let ((one, one_health), (two, two_health)) = (patient("one").await, patient("two").await);
    one_health.store(401, Ordering::SeqCst);
    two_health.store(204, Ordering::SeqCst);
    let gateway = start(&[&one, &two], &health(", status = [200, 401]")).await;
    said(&gateway, "server_out", "it answered 204").await;
    let mut http = Http::http1(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 6).await, "one"), 6);
}

#[tokio::test]
async fn a_connection_can_be_all_that_is_asked() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let address = one.addr();
    let keys = "fail = false\nhealth = { tcp = true, every = \"30ms\", unhealthy_after = 1 }";
    let gateway = start(&[&one, &two], keys).await;
    drop(one);
    said(&gateway, "server_out", "no connection").await;
    let servers = "gateway_upstream_servers";
    assert_eq!(metric(&gateway, servers, &["state=\"out\""]).await, 1.0);
    let listener = TcpListener::bind(address).await.unwrap();
    let _again = Origin::http_on(listener, async |_| Response::new(full("again")));
    said(&gateway, "server_back", "its health checks pass").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 6).await, "again"), 3);
}

#[tokio::test]
async fn where_no_check_passes_requests_are_passed_on_all_the_same() {
    let ((one, one_health), (two, two_health)) = (patient("one").await, patient("two").await);
    one_health.store(500, Ordering::SeqCst);
    two_health.store(500, Ordering::SeqCst);
    let gateway = start(&[&one, &two], &health("")).await;
    said(&gateway, "servers_out", "no server is left").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 6).await, "one"), 3);
}

#[tokio::test]
async fn a_server_that_is_back_starts_slowly() {
    let ((one, one_health), (two, _)) = (patient("one").await, patient("two").await);
    let keys = health("") + "\nslow_start = \"1h\"";
    let addresses = [one.addr(), two.addr()];
    let gateway = Gateway::start(&config("workers = 1", &app(&addresses, &keys))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 10).await, "one"), 5, "at the start all have theirs");
    one_health.store(503, Ordering::SeqCst);
    said(&gateway, "server_out", "it answered 503").await;
    one_health.store(200, Ordering::SeqCst);
    said(&gateway, "server_back", "its health checks pass").await;
    // A tenth of its half; a quarter of all would be five times that.
    let of_one = of(&answers(&mut http, "/", 200).await, "one");
    assert!(of_one < 50, "{of_one} of 200");
}

#[tokio::test]
async fn a_reload_takes_the_servers_of_upstreams_that_are_gone_out_of_the_metrics() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let other = answering_site("other.test");
    let both = app(&[one.addr(), two.addr()], "health = { tcp = true }") + &other;
    let gateway = Gateway::start(&config("", &both)).await;
    let servers = "gateway_upstream_servers";
    assert_eq!(metric(&gateway, servers, &["state=\"in\""]).await, 2.0);
    let one_only = app(&[one.addr()], "health = { tcp = true }") + &other;
    reloaded(&gateway, &config("", &one_only)).await;
    assert_eq!(metric(&gateway, servers, &["state=\"in\""]).await, 1.0);
    reloaded(&gateway, &config("", &other)).await;
    let text = Http::plain(gateway.admin(), "localhost").await.get("/metrics").await.text();
    assert!(!text.contains("gateway_upstream_servers{"), "{text}");
    reloaded(&gateway, &config("", &both)).await;
    assert_eq!(metric(&gateway, servers, &["state=\"in\""]).await, 2.0);
}
