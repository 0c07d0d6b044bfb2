//! What is tried again, and what never is: a request that a server may have seen is repeated only where
//! that changes nothing.

use std::sync::{Arc, Mutex};

use hyper::{Method, Request, StatusCode};
use tokio::io::AsyncReadExt;

use super::{closing, metric, start};
use crate::harness::http_client::{Http, get, post};
use crate::harness::origin::{Origin, read_head};
use crate::harness::replies::{Body, channel, empty, full};

fn put(path: &str, body: Body) -> Request<Body> {
    Request::put(path).body(body).unwrap()
}

/// Without it, servers would be left out, and not be asked in turn.
const KEYS: &str = "fail = false";

#[tokio::test]
async fn an_idempotent_request_that_is_not_answered_goes_to_another_server() {
    let (bad, good) = (closing().await, Origin::text("good").await);
    let gateway = start(&[&bad, &good], KEYS).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for method in [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS, Method::PUT] {
            for path in ["/one", "/two"] {
                let request = Request::builder().method(&method).uri(path);
                let reply = http.request(request.body(empty()).unwrap()).await;
                assert_eq!(reply.status, StatusCode::OK, "{method} {:?}", http.version());
            }
        }
    }
    let twice = gateway.record("a record of two tries", |it| it["upstream_tries"] == 2).await;
    let once = gateway.record("a record of one", |it| it["upstream_tries"] == 1).await;
    assert!(twice["status"] == 200 && once["status"] == 200);
    let retries = "gateway_upstream_retries_total";
    assert_eq!(metric(&gateway, retries, &["upstream=\"app\"", "\"retried\""]).await, 10.0);
}

#[tokio::test]
async fn another_method_is_not_sent_twice() {
    let (bad, good) = (closing().await, Origin::text("good").await);
    let gateway = start(&[&bad, &good], KEYS).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut statuses = Vec::new();
    for number in 0..4 {
        let request = match number % 4 {
            0 | 1 => post("/order", full("one pizza")),
            _ => Request::patch("/order").body(empty()).unwrap(),
        };
        statuses.push(http.request(request).await.status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 502, 502]);
    assert_eq!((bad.connections(), good.seen().len()), (2, 2));
}

/// A server that reads a body of this length and closes the connection then.
async fn swallowing(length: usize) -> (Origin, Arc<Mutex<Vec<Vec<u8>>>>) {
    let swallowed = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let kept = Arc::clone(&swallowed);
    let origin = Origin::raw(move |mut stream, _| {
        let kept = Arc::clone(&kept);
        async move {
            read_head(&mut stream).await;
            let mut body = vec![0; length];
            if stream.read_exact(&mut body).await.is_ok() {
                kept.lock().unwrap().push(body);
            }
        }
    })
    .await;
    (origin, swallowed)
}

#[tokio::test]
async fn a_short_body_is_sent_again_whole() {
    let body = "x".repeat(10_000);
    let (bad, swallowed) = swallowing(body.len()).await;
    let echo = Origin::echo().await;
    let gateway = start(&[&bad, &echo], KEYS).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for path in ["/one", "/two"] {
            let reply = http.request(put(path, full(body.clone()))).await;
            assert_eq!(reply.json()["body"], body.as_str(), "{path} {:?}", http.version());
        }
    }
    let swallowed = swallowed.lock().unwrap();
    assert!(swallowed.len() == 2 && swallowed.iter().all(|it| it == body.as_bytes()));
}

#[tokio::test]
async fn a_body_whose_beginning_was_lost_goes_on_behind_it() {
    // Only the framing of chunks lets 3 bytes more than the piece itself pass by then.
    let (bad, swallowed) = swallowing(5).await;
    let echo = Origin::echo().await;
    let gateway = start(&[&bad, &echo], KEYS).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    // Whose turn it is is not known, and two requests in turn try both.
    for path in ["/one", "/two"] {
        let (sender, body) = channel();
        let begun = swallowed.lock().unwrap().len();
        let sending = async {
            sender.send(Ok("begin".into())).await.unwrap();
            if path == "/one" {
                crate::harness::eventually("the beginning to be swallowed", async || {
                    (swallowed.lock().unwrap().len() > begun).then_some(())
                })
                .await;
            }
            sender.send(Ok(" and end".into())).await.unwrap();
            drop(sender);
        };
        let (reply, ()) = tokio::join!(http.request(put(path, body)), sending);
        assert_eq!(reply.json()["body"], "begin and end", "{path}");
    }
}

#[tokio::test]
async fn a_long_body_is_sent_once() {
    let body = "x".repeat(200_000);
    let (bad, _) = swallowing(body.len()).await;
    let echo = Origin::echo().await;
    let gateway = start(&[&bad, &echo], KEYS).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut statuses = Vec::new();
    for path in ["/one", "/two"] {
        statuses.push(http.request(put(path, full(body.clone()))).await.status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 502]);
}

#[tokio::test]
async fn there_are_so_many_tries_and_no_more() {
    let bad = [closing().await, closing().await, closing().await, closing().await];
    let servers: Vec<&Origin> = bad.iter().collect();
    for (retries, tries) in [(0, 1), (1, 2), (3, 4)] {
        let gateway = start(&servers, &format!("{KEYS}\nretries = {retries}")).await;
        let mut http = Http::http2(&gateway, "app.test").await;
        let before: usize = bad.iter().map(Origin::connections).sum();
        assert_eq!(http.get("/x").await.status, StatusCode::BAD_GATEWAY);
        let after: usize = bad.iter().map(Origin::connections).sum();
        assert_eq!(after - before, tries, "retries = {retries}");
        assert_eq!(gateway.record_of("/x").await["upstream_tries"], tries);
    }
}

#[tokio::test]
async fn all_retries_together_stay_within_a_budget() {
    let (one, two) = (closing().await, closing().await);
    let gateway = start(&[&one, &two], &format!("{KEYS}\nretries = 1")).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut asked = 0;
    // Ten a second are always allowed, so many requests at once are what it takes.
    while metric(&gateway, "gateway_upstream_retries_total", &["over_budget"]).await < 1.0 {
        let requests = (0..100).map(|_| {
            let mut http = http.beside();
            async move { http.send(get("/")).await.unwrap().status() }
        });
        for status in futures_util::future::join_all(requests).await {
            assert_eq!(status, StatusCode::BAD_GATEWAY);
        }
        asked += 100;
        assert!(asked <= 5_000, "{asked} requests were all tried twice");
    }
    assert_eq!(http.get("/").await.status, StatusCode::BAD_GATEWAY);
    let retried = metric(&gateway, "gateway_upstream_retries_total", &["\"retried\""]).await;
    let connections = one.connections() + two.connections();
    assert_eq!(connections as f64, f64::from(asked + 1) + retried, "a retry is a connection more");
}
