//! `balance`, weights, backups, and names with several addresses.

use std::collections::{BTreeMap, BTreeSet};

use hyper::{Request, Response, StatusCode};

use super::{address, answers, app_of, common_port, of, start, text_at};
use crate::harness::dns::{Answer, Dns};
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, get_with};
use crate::harness::origin::Origin;
use crate::harness::replies::full;
use crate::harness::{config, eventually};

#[tokio::test]
async fn weights_are_shares() {
    let (heavy, light) = (Origin::text("heavy").await, Origin::text("light").await);
    let servers = format!("{{ to = \"{}\", weight = 3 }}, \"{}\"", heavy.addr(), light.addr());
    let gateway = Gateway::start(&config("workers = 1", &app_of(&servers, ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let answers = answers(&mut http, "/", 12).await;
        assert_eq!((of(&answers, "heavy"), of(&answers, "light")), (9, 3), "{answers:?}");
    }
}

#[tokio::test]
async fn every_address_of_a_name_has_its_share() {
    let addresses = [address(1), address(2), address(3)];
    let port = common_port(&addresses).await;
    let _one = text_at(addresses[0], port, "one").await;
    let _two = text_at(addresses[1], port, "two").await;
    let _three = text_at(addresses[2], port, "three").await;
    let dns = Dns::start().await;
    dns.set("scaled.test", Answer::Addresses(addresses.to_vec(), 60));
    let toml = app_of(&format!("\"scaled.test:{port}\""), "");
    let gateway = Gateway::start(&config(&format!("workers = 1\n{}", dns.key()), &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let answers = answers(&mut http, "/", 9).await;
    for text in ["one", "two", "three"] {
        assert_eq!(of(&answers, text), 3, "{answers:?}");
    }
}

#[tokio::test]
async fn a_backup_is_asked_only_without_the_others() {
    let (first, backup) = (Origin::text("first").await, Origin::text("backup").await);
    let servers = format!("{{ to = \"{}\", backup = true }}, \"{}\"", backup.addr(), first.addr());
    let gateway = Gateway::start(&config("workers = 1", &app_of(&servers, ""))).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 6).await, "first"), 6);
    drop(first);
    assert_eq!(of(&answers(&mut http, "/", 6).await, "backup"), 6);
}

async fn hanging(text: &'static str) -> Origin {
    Origin::http(move |request: Request<_>| async move {
        if request.uri().path() == "/hang" {
            std::future::pending::<()>().await;
        }
        Response::new(full(text))
    })
    .await
}

#[tokio::test]
async fn the_least_busy_server_is_asked() {
    let (one, two) = (hanging("one").await, hanging("two").await);
    let gateway = start(&[&one, &two], "balance = \"least_connections\"").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut beside = http.beside();
    let held = tokio::spawn(async move { beside.send_slowly(get("/hang")).await.is_ok() });
    let idle = eventually("a server to be busy", async || {
        let busy = [&one, &two].map(|origin| origin.seen().len());
        match busy {
            [1, 0] => Some("two"),
            [0, 1] => Some("one"),
            _ => None,
        }
    })
    .await;
    assert_eq!(of(&answers(&mut http, "/", 8).await, idle), 8, "the busy one was asked");
    held.abort();
}

/// Which of three servers answers each key.
async fn map(http: &mut Http, header: &str) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for number in 0..40 {
        let key = format!("session=tenant-{number}");
        let reply = http.request(get_with("/", &[(header, &key)])).await;
        assert_eq!(reply.status, StatusCode::OK);
        map.insert(key, reply.text());
    }
    map
}

#[tokio::test]
async fn a_hash_keeps_keys_where_they_are_and_a_server_that_leaves_moves_only_its_own() {
    for (header, key) in [("x-tenant", "header = \"X-Tenant\""), ("cookie", "cookie = \"session\"")]
    {
        let (one, two) = (Origin::text("one").await, Origin::text("two").await);
        let three = Origin::text("three").await;
        let keys = format!("balance = {{ hash = {{ {key} }} }}");
        let gateway = start(&[&one, &two, &three], &keys).await;
        let [mut http, mut other] = Http::both(&gateway, "app.test").await;
        let before = map(&mut http, header).await;
        assert_eq!(map(&mut other, header).await, before, "the same over another connection");
        let servers: BTreeSet<_> = before.values().collect();
        assert_eq!(servers.len(), 3, "40 keys: {before:?}");
        drop(two);
        for (key, server) in map(&mut http, header).await {
            let known = &before[&key];
            assert!(known == &server || known == "two", "{key} has moved from {known} to {server}");
            assert_ne!(server, "two");
        }
    }
}

#[tokio::test]
async fn paths_and_clients_are_keys_too() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let gateway = start(&[&one, &two], "balance = { hash = \"path\" }").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut seen = BTreeSet::new();
    for number in 0..20 {
        let first = http.get(&format!("/{number}?first")).await.text();
        assert_eq!(http.get(&format!("/{number}?second")).await.text(), first, "/{number}");
        seen.insert(first);
    }
    assert_eq!(seen.len(), 2, "20 paths went to one server");

    let gateway = start(&[&one, &two], "balance = { hash = \"client_ip\" }").await;
    let mut seen = BTreeSet::new();
    for last in 1..=20 {
        let source = format!("127.0.0.{last}");
        let mut http = Http::http1_from(&gateway, "app.test", &source).await;
        let answers = answers(&mut http, "/", 4).await;
        assert_eq!(of(&answers, &answers[0]), 4, "{source}: {answers:?}");
        seen.insert(answers[0].clone());
    }
    assert_eq!(seen.len(), 2, "20 clients went to one server");
}

#[tokio::test]
async fn requests_without_the_key_are_shared_out() {
    let (one, two) = (Origin::text("one").await, Origin::text("two").await);
    let keys = "balance = { hash = { header = \"X-Tenant\" } }";
    let gateway = start(&[&one, &two], keys).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(of(&answers(&mut http, "/", 10).await, "one"), 5);
}
