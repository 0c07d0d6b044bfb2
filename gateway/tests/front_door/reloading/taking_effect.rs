//! What is new holds from the next request on, on connections that are open as on others.

use std::net::Ipv4Addr;

use hyper::{Response, StatusCode};
use nix::sys::signal::Signal;
use tokio::sync::mpsc;

use super::{event, reload, reloaded, rewrite};
use crate::harness::dns::Dns;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get};
use crate::harness::origin::Origin;
use crate::harness::replies::{Events, channel};
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, answering_site_with, config, eventually, one_site};

fn two_sites() -> String {
    answering_site("a.test") + &answering_site("b.test")
}

#[tokio::test]
async fn open_connections_see_new_routes_and_policies_at_once() {
    let gateway = Gateway::start(&config("", &answering_site("app.test"))).await;
    let mut clients = Http::both(&gateway, "app.test").await;
    for http in &mut clients {
        assert_eq!(http.get("/").await.text(), "app.test");
    }
    let site = "[site.\"app.test\"]\ntls = \"self-signed\"\ndeny = [\"127.0.0.1\"]\n\
                routes = [ { path = \"/*\", respond = { status = 200, body = \"new\" } } ]\n";
    let text = reloaded(&gateway, &config("", site)).await;
    assert!(text.contains("sites changed: app.test\n"), "{text}");
    for http in &mut clients {
        let status = http.get("/").await.status;
        assert_eq!(status, StatusCode::FORBIDDEN, "a rule that keeps clients out");
    }
}

#[tokio::test]
async fn a_request_that_has_begun_ends_as_it_began() {
    let (give, mut take) = mpsc::channel(1);
    let origin = Origin::http(move |_| {
        let give = give.clone();
        async move {
            let (sender, body) = channel();
            give.send(sender).await.unwrap();
            Response::new(body)
        }
    })
    .await;
    let old = config("", &one_site(origin.addr(), ""));
    let gateway = Gateway::start(&old).await;
    for mut http in Http::both(&gateway, "app.test").await {
        reloaded(&gateway, &old).await;
        let mut events = Events::of(http.send(get("/")).await.unwrap());
        let sender = take.recv().await.unwrap();
        sender.send(Ok("one\n\n".into())).await.unwrap();
        assert_eq!(events.next().await.unwrap().as_deref(), Some("one"));
        reloaded(&gateway, &config("", &answering_site("app.test"))).await;
        sender.send(Ok("two\n\n".into())).await.unwrap();
        assert_eq!(events.next().await.unwrap().as_deref(), Some("two"));
        drop(sender);
        assert_eq!(events.next().await.unwrap(), None);
        assert_eq!(http.get("/").await.text(), "app.test", "the next one has the new route");
    }
}

#[tokio::test]
async fn sites_come_and_go() {
    let gateway = Gateway::start(&config("", &two_sites())).await;
    let [mut a1, mut a2] = Http::both(&gateway, "a.test").await;
    let [mut b1, mut b2] = Http::both(&gateway, "b.test").await;
    for http in [&mut a1, &mut a2, &mut b1, &mut b2] {
        assert_eq!(http.get("/").await.status, StatusCode::OK);
    }
    let sites = answering_site("new.test") + &answering_site("b.test");
    let text = reloaded(&gateway, &config("", &sites)).await;
    assert!(text.contains("sites added: new.test\nsites removed: a.test\n"), "{text}");
    for http in [&mut a1, &mut a2] {
        let status = http.get("/").await.status;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "its site is gone");
    }
    for http in [&mut b1, &mut b2] {
        assert_eq!(http.get("/").await.text(), "b.test", "the site has another place in the list");
    }
    assert_eq!(Http::http2(&gateway, "new.test").await.get("/").await.text(), "new.test");
    let tls = Tls::trusting(&gateway.local_ca());
    tls.refused(gateway.https(), "a.test").await;
    let metrics = Http::plain(gateway.admin(), "localhost").await.get("/metrics").await.text();
    assert!(metrics.contains("gateway_certificate_not_after_seconds{site=\"new.test\"}"));
    assert!(!metrics.contains("gateway_certificate_not_after_seconds{site=\"a.test\"}"));
}

#[tokio::test]
async fn an_alias_that_moves_to_another_site_is_not_answered_under_the_wrong_certificate() {
    let alias = |of: &str, keys| answering_site_with(of, &format!("tls = \"self-signed\"\n{keys}"));
    let with = "aliases = [\"alias.test\"]";
    let gateway =
        Gateway::start(&config("", &(alias("a.test", with) + &alias("b.test", "")))).await;
    let mut clients = Http::both(&gateway, "alias.test").await;
    for http in &mut clients {
        assert_eq!(http.get("/").await.text(), "a.test");
    }
    reloaded(&gateway, &config("", &(alias("a.test", "") + &alias("b.test", with)))).await;
    for http in &mut clients {
        assert_eq!(http.get("/").await.status, StatusCode::MISDIRECTED_REQUEST);
    }
    assert_eq!(Http::http1(&gateway, "alias.test").await.get("/").await.text(), "b.test");
}

#[tokio::test]
async fn sighup_reloads_and_the_journal_says_what_changed() {
    let gateway = Gateway::start(&config("", &answering_site("a.test"))).await;
    rewrite(&gateway, &config("", &two_sites()));
    gateway.signal(Signal::SIGHUP);
    let told = event(&gateway, "reloaded").await;
    let message = told["message"].as_str().unwrap();
    assert_eq!(message, "The configuration was reloaded.\nsites added: b.test");
    assert_eq!(Http::http2(&gateway, "b.test").await.get("/").await.text(), "b.test");
}

#[tokio::test]
async fn what_takes_a_restart_is_named() {
    let gateway = Gateway::start(&config("workers = 1", &answering_site("a.test"))).await;
    let new = config("workers = 2\naccess_log = \"off\"", &two_sites());
    let said = reload(&gateway, &new).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let line = "changed, and heeded after a restart only: workers, access_log\n";
    assert!(said.stdout.ends_with(line), "{}", said.stdout);
    // It is said again as long as it is so.
    let again = reload(&gateway, &new).await;
    assert!(again.stdout.ends_with(line), "{}", again.stdout);
    let mut http = Http::http2(&gateway, "b.test").await;
    assert_eq!(http.get("/logged").await.text(), "b.test");
    gateway.record_of("/logged").await;
}

#[tokio::test]
async fn caps_hold_for_new_connections() {
    let gateway = Gateway::start(&config("", &answering_site("a.test"))).await;
    let mut first = Http::http1(&gateway, "a.test").await;
    first.get("/").await;
    reloaded(&gateway, &config("max_connections = 1", &answering_site("a.test"))).await;
    assert_eq!(first.get("/").await.status, StatusCode::OK, "it was there before");
    let tls = Tls::trusting(&gateway.local_ca());
    assert!(tls.try_connect(gateway.https(), "a.test").await.is_err());
    reloaded(&gateway, &config("", &answering_site("a.test"))).await;
    eventually("newcomers to be let in again", async || {
        tls.try_connect(gateway.https(), "a.test").await.is_ok().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_new_is_resolved() {
    let dns = Dns::start().await;
    let origin = Origin::text("found").await;
    dns.set_address("backend.test", Ipv4Addr::LOCALHOST.into());
    let gateway = Gateway::start(&config(&dns.key(), &answering_site("app.test"))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test");
    let to = format!("backend.test:{}", origin.addr().port());
    reloaded(&gateway, &config(&dns.key(), &one_site(to, ""))).await;
    assert_eq!(http.get("/").await.text(), "found");
}
