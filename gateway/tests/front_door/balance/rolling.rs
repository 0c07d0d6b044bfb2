//! A rolling restart under load: three servers, one after the other, come back with other addresses.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{address, app_of, common_port};
use crate::harness::dns::{Answer, Dns};
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, post};
use crate::harness::origin::Origin;
use crate::harness::replies::full;
use crate::harness::{config, eventually, within};

/// A server that takes a moment for each request, so that some are under way whenever it is killed.
async fn server(last: u8, port: u16) -> Origin {
    let listener = TcpListener::bind((address(last), port)).await.unwrap();
    Origin::http_on(listener, |_| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Response::new(full("served"))
    })
}

/// Clients that ask without a pause until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    gets: Arc<AtomicUsize>,
    getting: Vec<JoinHandle<()>>,
    /// Each gives the paths of the requests that failed.
    posting: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    async fn start(gateway: &Gateway) -> Self {
        let (stop, gets) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (mut getting, mut posting) = (Vec::new(), Vec::new());
        for number in 0..4 {
            for http in Http::both(gateway, "app.test").await {
                getting.push(tokio::spawn(get_on(http, Arc::clone(&stop), Arc::clone(&gets))));
            }
            let http = Http::http2(gateway, "app.test").await;
            posting.push(tokio::spawn(post_on(http, number, Arc::clone(&stop))));
        }
        Self { stop, gets, getting, posting }
    }

    /// Ends it; the POSTs that failed.
    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.getting {
            within("the last GETs", task).await.unwrap();
        }
        let mut failed = Vec::new();
        for task in self.posting {
            failed.extend(within("the last POSTs", task).await.unwrap());
        }
        failed
    }
}

async fn get_on(mut http: Http, stop: Arc<AtomicBool>, gets: Arc<AtomicUsize>) {
    while !stop.load(Ordering::SeqCst) {
        let reply = http.get("/get").await;
        assert_eq!(reply.status, StatusCode::OK, "a GET failed over {:?}", http.version());
        gets.fetch_add(1, Ordering::SeqCst);
    }
}

async fn post_on(mut http: Http, client: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let (mut failed, mut number) = (Vec::new(), 0);
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        let path = format!("/post/{client}/{number}");
        let reply = http.request(post(&path, full("an order"))).await;
        match reply.status {
            StatusCode::OK => {}
            StatusCode::BAD_GATEWAY => failed.push(path),
            other => panic!("{path}: {other}"),
        }
    }
    failed
}

#[tokio::test]
async fn no_get_fails_and_no_post_that_no_server_has_seen() {
    let all = [2, 3, 4, 5, 6, 7];
    let port = common_port(&all.map(address)).await;
    let mut running = Vec::new();
    for last in [2, 3, 4] {
        running.push((last, server(last, port).await));
    }
    let dns = Dns::start().await;
    let publish = |running: &[(u8, Origin)]| {
        let addresses = running.iter().map(|(last, _)| address(*last)).collect();
        dns.set("app.internal", Answer::Addresses(addresses, 600));
    };
    publish(&running);
    let toml = app_of(&format!("\"app.internal:{port}\""), "");
    let gateway = Gateway::start(&config(&format!("workers = 2\n{}", dns.key()), &toml)).await;
    let load = Load::start(&gateway).await;

    let mut seen_by_killed = BTreeSet::new();
    for last in [5, 6, 7] {
        let (_, old) = running.remove(0);
        eventually("the old server to be in use", async || (old.seen().len() > 20).then_some(()))
            .await;
        // As Compose does it: stop, make anew, and only then does DNS know.
        seen_by_killed.extend(old.kill().await);
        running.push((last, server(last, port).await));
        publish(&running);
        let (_, new) = &running[2];
        eventually("the new server to be in use", async || (new.seen().len() > 20).then_some(()))
            .await;
    }
    let gets = load.gets.load(Ordering::SeqCst);
    let failed = load.end().await;
    assert!(gets > 100, "only {gets} GETs");
    for path in &failed {
        // It had been sent, and nobody knows what became of it; none failed for want of a server.
        let record = gateway.record_of(path).await;
        let error = record["error"].as_str().unwrap_or_default();
        assert!(error.contains("closed the connection before it answered"), "{path}: {record}");
    }
    // A POST that was answered was answered by one server and seen by no other.
    let seen: Vec<_> = running.iter().flat_map(|(_, origin)| origin.seen()).collect();
    let posts: Vec<_> = seen.iter().filter(|line| line.starts_with("POST")).collect();
    let distinct: BTreeSet<_> = posts.iter().collect();
    assert_eq!(posts.len(), distinct.len(), "an order was placed twice");
    let twice: Vec<_> = seen
        .iter()
        .filter(|line| line.starts_with("POST") && seen_by_killed.contains(*line))
        .collect();
    assert!(twice.is_empty(), "seen by a killed server and by another: {twice:?}");
}

#[tokio::test]
async fn the_same_with_fixed_addresses_that_are_away_for_a_while() {
    let all = [2, 3, 4];
    let port = common_port(&all.map(address)).await;
    let mut running = Vec::new();
    for last in all {
        running.push(server(last, port).await);
    }
    let servers: Vec<_> = all.iter().map(|last| format!("\"127.0.0.{last}:{port}\"")).collect();
    // Not left out for longer than the test takes.
    let toml = app_of(&servers.join(", "), "fail = { max = 3, within = \"200ms\" }");
    let gateway = Gateway::start(&config("workers = 2", &toml)).await;
    let load = Load::start(&gateway).await;
    for last in all {
        let old = running.remove(0);
        old.kill().await;
        let before = load.gets.load(Ordering::SeqCst);
        eventually("a hundred GETs without it", async || {
            (load.gets.load(Ordering::SeqCst) > before + 100).then_some(())
        })
        .await;
        running.push(server(last, port).await);
        let back = &running[2];
        eventually("it to be in use again", async || (back.seen().len() > 20).then_some(())).await;
    }
    load.end().await;
}

/// Nothing of this may depend on requests being short: a long poll is under way on every server.
#[tokio::test]
async fn a_long_poll_moves_with_every_restart() {
    let all = [2, 3, 4];
    let port = common_port(&all.map(address)).await;
    let polling = |last: u8| async move {
        let listener = TcpListener::bind((address(last), port)).await.unwrap();
        Origin::http_on(listener, move |request: Request<_>| async move {
            if request.uri().path() == "/poll" && last < 4 {
                std::future::pending::<()>().await;
            }
            Response::new(full("news"))
        })
    };
    let dns = Dns::start().await;
    dns.set("app.internal", Answer::Addresses(vec![address(2)], 600));
    let first = polling(2).await;
    // Each move takes two tries: the old address once more, and the new one.
    let toml = app_of(&format!("\"app.internal:{port}\""), "retries = 4");
    let gateway = Gateway::start(&config(&dns.key(), &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let polled = tokio::spawn(async move { http.get("/poll").await });
    eventually("the poll to arrive", async || (!first.seen().is_empty()).then_some(())).await;
    let second = polling(3).await;
    dns.set("app.internal", Answer::Addresses(vec![address(3)], 600));
    first.kill().await;
    eventually("the poll to move", async || (!second.seen().is_empty()).then_some(())).await;
    let _third = polling(4).await;
    dns.set("app.internal", Answer::Addresses(vec![address(4)], 600));
    second.kill().await;
    let reply = polled.await.unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "news"));
}
