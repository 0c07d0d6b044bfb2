//! Limits of requests at one time.
//!
//! What nginx did: nothing; one client could hold as many requests as it liked.

use std::sync::Arc;

use futures_util::StreamExt;
use hyper::{Response, StatusCode};
use tokio::sync::{Semaphore, mpsc};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::Origin;
use crate::harness::replies::full;
use crate::harness::ws_client::WebSocket;
use crate::harness::{config, eventually, one_site, within};

fn toml(keys: &str, origin: &Origin) -> String {
    let site = one_site(origin.addr(), "limit = \"two\"");
    config("", &format!("[limit.two]\nconcurrent = 2\n{keys}\n\n{site}"))
}

/// An origin that answers when it is let, and says when it is asked.
async fn holding() -> (Origin, Arc<Semaphore>, mpsc::UnboundedReceiver<()>) {
    let gate = Arc::new(Semaphore::new(0));
    let (tell, asked) = mpsc::unbounded_channel();
    let held = gate.clone();
    let origin = Origin::http(move |_| {
        let (gate, tell) = (held.clone(), tell.clone());
        async move {
            tell.send(()).unwrap();
            gate.acquire().await.unwrap().forget();
            Response::new(full("let"))
        }
    })
    .await;
    (origin, gate, asked)
}

#[tokio::test]
async fn so_many_at_one_time_and_more_when_one_has_ended() {
    let (origin, gate, mut asked) = holding().await;
    let gateway = Gateway::start(&toml("", &origin)).await;
    for first in Http::both(&gateway, "app.test").await {
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let mut http = Http::http1(&gateway, "app.test").await;
            waiting.push(tokio::spawn(async move { http.get("/").await }));
            within("the origin to be asked", asked.recv()).await.unwrap();
        }
        let mut http = first;
        let over = http.get("/").await;
        assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(over.header("retry-after").as_deref(), Some("1"));
        assert_eq!(over.header("ratelimit"), None, "that is for requests in a time");
        let mut other = Http::http1_from(&gateway, "app.test", "127.0.0.2").await;
        let other = tokio::spawn(async move { other.get("/").await.status });
        within("another client's request to reach the origin", asked.recv()).await.unwrap();
        gate.add_permits(3);
        assert_eq!(other.await.unwrap(), StatusCode::OK);
        for task in waiting {
            assert_eq!(task.await.unwrap().status, StatusCode::OK);
        }
        // Both places are free again.
        gate.add_permits(1);
        assert_eq!(http.get("/").await.status, StatusCode::OK);
        asked.recv().await.unwrap();
    }
    let record = gateway.record("a refusal", |record| record["status"] == 429).await;
    assert_eq!(record["over_limit"], "two");
    assert_eq!(record["error"], "over the limit `two`: too many requests at one time");
}

async fn served(gateway: &Gateway) -> Option<()> {
    let status = Http::http1(gateway, "app.test").await.get("/").await.status;
    (status == StatusCode::OK).then_some(())
}

#[tokio::test]
async fn a_client_that_goes_away_gives_its_places_back() {
    let (origin, gate, mut asked) = holding().await;
    let gateway = Gateway::start(&toml("", &origin)).await;
    for _ in 0..2 {
        let mut http = Http::http2(&gateway, "app.test").await;
        let waiting = tokio::spawn(async move { http.get("/gone").await });
        within("the origin to be asked", asked.recv()).await.unwrap();
        waiting.abort();
    }
    gate.add_permits(100);
    eventually("a place to be free", || served(&gateway)).await;
}

#[tokio::test]
async fn each_value_of_a_header_has_its_own_places() {
    let (origin, gate, mut asked) = holding().await;
    let gateway = Gateway::start(&toml("key = { header = \"X-Api-Key\" }", &origin)).await;
    let http = Http::http2(&gateway, "app.test").await;
    let mut waiting = Vec::new();
    for key in ["a", "a", "b", "b"] {
        let mut beside = http.beside();
        waiting.push(tokio::spawn(async move {
            beside.request(get_with("/", &[("x-api-key", key)])).await.status
        }));
        within("the origin to be asked", asked.recv()).await.unwrap();
    }
    let over = http.beside().request(get_with("/", &[("x-api-key", "b")])).await;
    assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS);
    gate.add_permits(4);
    for task in waiting {
        assert_eq!(task.await.unwrap(), StatusCode::OK);
    }
}

/// Accepts WebSockets, and answers other requests.
async fn sockets() -> Origin {
    Origin::raw(|mut stream, _| async move {
        use tokio::io::AsyncWriteExt;
        let mut peeked = [0; 4096];
        let length = stream.peek(&mut peeked).await.unwrap_or(0);
        let head = String::from_utf8_lossy(&peeked[..length]).to_ascii_lowercase();
        if !head.contains("upgrade: websocket") {
            drop(crate::harness::origin::read_head(&mut stream).await);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            drop(stream.write_all(answer).await);
            return;
        }
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    })
    .await
}

#[tokio::test]
async fn open_websockets_count_only_where_that_is_asked_for() {
    let origin = sockets().await;
    let gateway = Gateway::start(&toml("", &origin)).await;
    let mut open = Vec::new();
    for number in 0..5 {
        match WebSocket::open(&gateway, "app.test", "/ws").await {
            Ok(socket) => open.push(socket),
            Err(status) => panic!("WebSocket {number} was answered with {status}"),
        }
    }
    let mut http = Http::http1(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::OK);

    let gateway = Gateway::start(&toml("websockets = \"together\"", &origin)).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    let one = WebSocket::open(&gateway, "app.test", "/ws").await.expect("a WebSocket");
    let _two = WebSocket::open(&gateway, "app.test", "/ws").await.expect("a WebSocket");
    let over = WebSocket::open(&gateway, "app.test", "/ws").await.err();
    assert_eq!(over, Some(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(http.get("/").await.status, StatusCode::TOO_MANY_REQUESTS);
    drop(one);
    eventually("the closed WebSocket's place to be free", || served(&gateway)).await;
}
