//! A process may have only so many files open, and every connection is one.

use std::sync::Arc;

use hyper::{Response, StatusCode};
use tokio::sync::Barrier;

use crate::harness::gateway::{Files, Gateway};
use crate::harness::http_client::{Http, get};
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::replies::full;
use crate::harness::{answering_site, config, eventually, one_site};

#[tokio::test]
async fn the_limit_is_raised_and_one_that_is_too_low_is_told() {
    let toml = config("max_connections = 301", &answering_site("app.test"));
    let gateway = Gateway::start_with(Files { soft: 64, hard: 600 }, &toml).await;
    let event =
        gateway.event("the event \"few_files\"", |event| event["event"] == "few_files").await;
    assert_eq!((event["level"].as_str(), event["limit"].as_str()), (Some("warn"), Some("600")));
    let message = event["message"].as_str().unwrap();
    assert_eq!(
        message,
        "301 connections of clients may be open (`max_connections`), and with those to upstreams \
         they are up to 602 files; the system allows this process 600: raise its limit \
         (`LimitNOFILE=` of systemd, `ulimits: nofile` of Compose, `ulimit -n`), or lower \
         `max_connections`"
    );
    assert_eq!(soft_limit(&gateway), "600");
}

#[tokio::test]
async fn a_limit_that_is_high_enough_is_nothing_to_speak_of() {
    let toml = config("max_connections = 300", &answering_site("app.test"));
    let gateway = Gateway::start_with(Files { soft: 64, hard: 600 }, &toml).await;
    assert!(!gateway.events().contains("few_files"), "{}", gateway.events());
}

#[tokio::test]
async fn a_limit_that_is_too_low_to_start_is_told_with_what_to_do() {
    let toml = config("", &answering_site("app.test"));
    let failed = Gateway::fail_with(Files { soft: 8, hard: 8 }, &toml).await;
    assert_eq!(failed.status.code(), Some(1), "{}", failed.stderr);
    let why = "the system does not let the gateway start: Too many open files (os error 24); this \
               process may have 8: raise its limit (`LimitNOFILE=` of systemd, `ulimits: nofile` of \
               Compose, `ulimit -n`)";
    assert!(failed.stderr.contains(why), "{}", failed.stderr);
}

const LIMIT: usize = 100;
const UPSTREAMS: usize = 20;

#[tokio::test]
async fn connections_that_wait_make_room_for_clients() {
    let origin = all_at_once().await;
    let toml = config("workers = 1", &one_site(origin.addr(), ""));
    let gateway = Gateway::start_with(Files { soft: LIMIT, hard: LIMIT }, &toml).await;
    fill_pool(&gateway).await;
    let open = eventually("the client's connection to end", async || {
        let open = open_files(&gateway);
        (open < LIMIT - UPSTREAMS).then_some(open)
    })
    .await;
    assert!(open > UPSTREAMS, "{open}: the connections to the origin are kept");
    // Half of what the kept connections take is missing.
    let clients = LIMIT - open + UPSTREAMS / 2;
    let mut clients = clients_of(&gateway, clients).await;
    let last = clients.last_mut().unwrap();
    assert!(last.write("GET / HTTP/1.1\r\nhost: app.test\r\n\r\n").await);
    assert_eq!(last.head().await.unwrap().status, 308);
    let said = gateway.event("the event \"accept\"", |event| event["event"] == "accept").await;
    let message = said["message"].as_str().unwrap();
    assert_eq!(
        message,
        "cannot accept connections: Too many open files (os error 24); this process may have 100: \
         raise its limit (`LimitNOFILE=` of systemd, `ulimits: nofile` of Compose, `ulimit -n`)"
    );
}

#[tokio::test]
async fn it_serves_on_when_there_are_descriptors_again() {
    let toml = config("workers = 1", &answering_site("app.test"));
    let gateway = Gateway::start_with(Files { soft: LIMIT, hard: LIMIT }, &toml).await;
    let clients = clients_of(&gateway, LIMIT).await;
    gateway.event("the event \"accept\"", |event| event["event"] == "accept").await;
    eventually("every descriptor to be in use", async || {
        (open_files(&gateway) == LIMIT).then_some(())
    })
    .await;
    drop(clients);
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test");
    let complaints = gateway.events().matches("cannot accept").count();
    assert!(complaints <= 2, "{complaints} lines say the same");
}

#[tokio::test]
async fn a_server_is_not_to_blame_where_descriptors_are_spent() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let servers = format!("[upstream.app]\nservers = [\"{}\", \"{}\"]\n", one.addr(), two.addr());
    let toml =
        config("workers = 1", &format!("{servers}fail = {{ max = 1 }}\n\n{}", one_site("app", "")));
    let gateway = Gateway::start_with(Files { soft: LIMIT, hard: LIMIT }, &toml).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let clients = clients_of(&gateway, LIMIT).await;
    eventually("every descriptor to be in use", async || {
        (open_files(&gateway) == LIMIT).then_some(())
    })
    .await;
    assert_eq!(http.get("/spent").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let record = gateway.record_of("/spent").await;
    let said = record["error"].as_str().unwrap();
    assert!(said.contains("no file descriptor left"), "{said}");
    drop(clients);
    eventually("descriptors", async || (open_files(&gateway) < LIMIT / 2).then_some(())).await;
    assert_eq!(http.get("/").await.status, StatusCode::OK);
    assert!(!gateway.events().contains("server_out"), "{}", gateway.events());
}

/// An origin that answers when as many requests have come as it is to have connections.
async fn all_at_once() -> Origin {
    let barrier = Arc::new(Barrier::new(UPSTREAMS));
    Origin::http(move |_| {
        let barrier = barrier.clone();
        async move {
            barrier.wait().await;
            Response::new(full("all"))
        }
    })
    .await
}

async fn fill_pool(gateway: &Gateway) {
    let http = Http::http2(gateway, "app.test").await;
    let asked: Vec<_> = (0..UPSTREAMS)
        .map(|_| {
            let mut beside = http.beside();
            tokio::spawn(async move { beside.request(get("/")).await.status })
        })
        .collect();
    for asked in asked {
        assert_eq!(asked.await.unwrap(), StatusCode::OK);
    }
}

async fn clients_of(gateway: &Gateway, count: usize) -> Vec<Raw<tokio::net::TcpStream>> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Raw::plain(gateway.http()).await);
    }
    clients
}

/// Those below the limit: what a process was born with may stand above it.
fn open_files(gateway: &Gateway) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", gateway.pid())).unwrap();
    let numbers = files.filter_map(|file| file.ok()?.file_name().to_str()?.parse::<usize>().ok());
    numbers.filter(|number| *number < LIMIT).count()
}

fn soft_limit(gateway: &Gateway) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().to_owned()
}
