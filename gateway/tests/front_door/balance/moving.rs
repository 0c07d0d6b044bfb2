//! Containers that come back with another address.

use hyper::{Request, Response, StatusCode};

use super::{address, app_of, common_port, text_at};
use crate::harness::dns::{Answer, Dns};
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, post};
use crate::harness::origin::Origin;
use crate::harness::replies::full;
use crate::harness::{config, eventually};

struct Moving {
    dns: Dns,
    gateway: Gateway,
    port: u16,
    old: Origin,
}

impl Moving {
    /// A name at the first address, believed for a minute if nobody knows better.
    async fn start() -> Self {
        let port = common_port(&[address(1), address(2)]).await;
        let listener = tokio::net::TcpListener::bind((address(1), port)).await.unwrap();
        let old = Origin::http_on(listener, |request: Request<_>| async move {
            if request.uri().path() == "/hang" {
                std::future::pending::<()>().await;
            }
            Response::new(full("old"))
        });
        let dns = Dns::start().await;
        dns.set("moving.test", Answer::Addresses(vec![address(1)], 60));
        let toml = app_of(&format!("\"moving.test:{port}\""), "");
        let gateway = Gateway::start(&config(&format!("workers = 1\n{}", dns.key()), &toml)).await;
        let mut http = Http::http2(&gateway, "app.test").await;
        assert_eq!(http.get("/").await.text(), "old");
        Self { dns, gateway, port, old }
    }

    /// The new container is there and DNS says so; the old one is killed.
    async fn recreate(dns: &Dns, port: u16, old: Origin) -> Origin {
        let new = text_at(address(2), port, "new").await;
        dns.set("moving.test", Answer::Addresses(vec![address(2)], 60));
        old.kill().await;
        new
    }
}

#[tokio::test]
async fn the_first_request_after_a_move_already_finds_the_new_address() {
    let Moving { dns, gateway, port, old } = Moving::start().await;
    let mut connections = Http::both(&gateway, "app.test").await;
    let _new = Moving::recreate(&dns, port, old).await;
    for http in &mut connections {
        // The connection was refused, so that no method is too dangerous.
        let reply = http.request(post("/", full("an order"))).await;
        assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "new"));
    }
}

#[tokio::test]
async fn a_get_in_flight_is_answered_by_the_new_address_and_a_post_is_not_repeated() {
    let Moving { dns, gateway, port, old } = Moving::start().await;
    let http = Http::http2(&gateway, "app.test").await;
    let (mut getting, mut posting) = (http.beside(), http.beside());
    let got = tokio::spawn(async move { getting.request(get("/hang")).await });
    let posted = tokio::spawn(async move { posting.request(post("/hang", full("x"))).await });
    eventually("both to be under way", async || (old.seen().len() == 3).then_some(())).await;
    let new = Moving::recreate(&dns, port, old).await;
    let got = got.await.unwrap();
    assert_eq!((got.status, got.text().as_str()), (StatusCode::OK, "new"));
    assert_eq!(posted.await.unwrap().status, StatusCode::BAD_GATEWAY);
    assert_eq!(new.seen(), ["GET /hang"]);
}

#[tokio::test]
async fn a_name_that_stays_where_it_is_fails_at_once() {
    let Moving { dns, gateway, old, .. } = Moving::start().await;
    old.kill().await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let before = dns.asked("moving.test");
    assert_eq!(http.get("/").await.status, StatusCode::BAD_GATEWAY);
    assert!(dns.asked("moving.test") > before, "DNS was not asked whether it has moved");
}

#[tokio::test]
async fn a_container_more_is_used_soon_and_the_others_keep_their_state() {
    let Moving { dns, gateway, port, old } = Moving::start().await;
    let _second = text_at(address(2), port, "new").await;
    dns.set("moving.test", Answer::Addresses(vec![address(2), address(1)], 60));
    eventually("the second address to be used", async || {
        let mut http = Http::http2(&gateway, "app.test").await;
        (http.get("/").await.text() == "new").then_some(())
    })
    .await;
    drop(old);
}
