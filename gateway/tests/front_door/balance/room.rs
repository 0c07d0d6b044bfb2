//! `max_requests` and `queue`: a server has only so many requests at once.

use std::sync::Arc;

use hyper::{Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{answers, of, start};
use crate::harness::eventually;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get};
use crate::harness::origin::Origin;
use crate::harness::replies::{Reply, full};

/// A server that answers `/hold` once it is let to.
async fn holding(text: &'static str) -> (Origin, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let origin = Origin::http(move |request: Request<_>| {
        let gate = Arc::clone(&held);
        async move {
            if request.uri().path() == "/hold" {
                gate.acquire().await.unwrap().forget();
            }
            Response::new(full(text))
        }
    })
    .await;
    (origin, gate)
}

/// A request on a connection of its own.
async fn ask(gateway: &Gateway, path: &'static str) -> JoinHandle<Reply> {
    let mut http = Http::http1(gateway, "app.test").await;
    tokio::spawn(async move { http.request(get(path)).await })
}

async fn seen(origin: &Origin, count: usize) {
    let what = format!("{count} requests to arrive");
    eventually(&what, async || (origin.seen().len() == count).then_some(())).await;
}

#[tokio::test]
async fn past_the_cap_others_are_asked_and_then_nobody() {
    let ((one, one_gate), (two, two_gate)) = (holding("one").await, holding("two").await);
    let gateway = start(&[&one, &two], "max_requests = 1").await;
    let first = ask(&gateway, "/hold").await;
    eventually("one to be busy", async || (one.seen().len() + two.seen().len() == 1).then_some(()))
        .await;
    let busy = if one.seen().is_empty() { "two" } else { "one" };
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 4).await, busy), 0);
    let second = ask(&gateway, "/hold").await;
    eventually("both to be busy", async || {
        let holds = |origin: &Origin| origin.seen().iter().any(|line| line == "GET /hold");
        (holds(&one) && holds(&two)).then_some(())
    })
    .await;
    for mut http in Http::both(&gateway, "app.test").await {
        let refused = http.get("/").await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    }
    let record = gateway.record("a record of 503", |it| it["status"] == 503).await;
    let error = record["error"].as_str().unwrap();
    assert!(error.contains("the servers of app have as many requests"), "{error}");
    one_gate.add_permits(1);
    two_gate.add_permits(1);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(second.await.unwrap().status, StatusCode::OK);
    assert_eq!(of(&answers(&mut http, "/", 4).await, "one"), 2, "both have room again");
}

#[tokio::test]
async fn in_the_queue_requests_wait_for_their_turn() {
    let (origin, gate) = holding("held").await;
    let keys = "max_requests = 1\nqueue = { max = 2, wait = \"1h\" }";
    let gateway = start(&[&origin], keys).await;
    let first = ask(&gateway, "/hold").await;
    seen(&origin, 1).await;
    let waiting = [ask(&gateway, "/hold").await, ask(&gateway, "/hold").await];
    // Two wait when the next one is refused.
    eventually("the queue to be full", async || {
        let mut http = Http::http2(&gateway, "app.test").await;
        let asked = tokio::time::timeout(std::time::Duration::from_millis(200), http.get("/"));
        let refused = asked.await.ok()?;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.header("retry-after").as_deref(), Some("3600"));
        Some(())
    })
    .await;
    assert_eq!(origin.seen().len(), 1, "more than one at once");
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    seen(&origin, 2).await;
    gate.add_permits(2);
    for waited in waiting {
        assert_eq!(waited.await.unwrap().text(), "held");
    }
    assert!(origin.seen().len() >= 3);
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let (origin, gate) = holding("held").await;
    let keys = "max_requests = 1\nqueue = { max = 10, wait = \"100ms\" }";
    let gateway = start(&[&origin], keys).await;
    let first = ask(&gateway, "/hold").await;
    seen(&origin, 1).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for _ in 0..3 {
            let refused = http.get("/").await;
            assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
        }
    }
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    let mut http = Http::http1(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::OK, "who gave up left a place behind");
}
