//! Names that do not resolve, change, come and go.
//!
//! What nginx did: names were looked up at start and never again, so that a container that came back
//! elsewhere was a 502, and one unknown name kept nginx from starting.

use std::net::{IpAddr, Ipv4Addr};

use hyper::{Response, StatusCode};
use tokio::net::TcpListener;

use super::Beside;
use crate::harness::dns::{Answer, Dns};
use crate::harness::eventually;
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::replies::full;

const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
const TWO: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Two origins on one port of two addresses.
async fn two_addresses() -> (u16, Origin, Origin) {
    loop {
        let one = TcpListener::bind((ONE, 0)).await.unwrap();
        let port = one.local_addr().unwrap().port();
        let Ok(two) = TcpListener::bind((TWO, port)).await else { continue };
        return (
            port,
            Origin::http_on(one, async |_| Response::new(full("one"))),
            Origin::http_on(two, async |_| Response::new(full("two"))),
        );
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_502_for_its_route_only() {
    let dns = Dns::start().await;
    for (name, answer) in [("nowhere.test", Answer::NoSuchName), ("failing.test", Answer::Failure)]
    {
        dns.set(name, answer);
        let beside = Beside::start_with(format_args!("{name}:80"), &dns.key(), "").await;
        for mut http in beside.both().await {
            assert_eq!(http.get("/broken/x").await.status, StatusCode::BAD_GATEWAY, "{name}");
        }
        let record = beside.gateway.record_of("/broken/x").await;
        let error = record["error"].as_str().unwrap_or_default();
        assert!(error.contains(name), "the log does not name the name: {record}");
        beside.was_unaffected().await;
    }
}

#[tokio::test]
async fn a_name_server_that_is_not_there_is_a_502_for_names_only() {
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = format!("dns = [\"{}\"]", nobody.local_addr().unwrap());
    let upstream = "[upstream.unheard]\nservers = [\"name.test:80\"]\nconnect = \"1s\"";
    let beside = Beside::start_with("unheard", &server, upstream).await;
    for mut http in beside.both().await {
        let status = http.get("/broken/x").await.status;
        assert!(matches!(status.as_u16(), 502 | 504), "{status}");
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn a_name_that_begins_to_resolve_is_used() {
    let (port, _one, _two) = two_addresses().await;
    let dns = Dns::start().await;
    let beside = Beside::start_with(format_args!("late.test:{port}"), &dns.key(), "").await;
    let mut http = Http::http2(&beside.gateway, "app.test").await;
    assert_eq!(http.get("/broken/x").await.status, StatusCode::BAD_GATEWAY);
    dns.set_address("late.test", ONE);
    eventually("the new name to be found", async || {
        let mut http = Http::http2(&beside.gateway, "app.test").await;
        (http.get("/broken/x").await.text() == "one").then_some(())
    })
    .await;
    beside.was_unaffected().await;
}

#[tokio::test]
async fn a_changed_address_is_used_when_the_old_one_s_time_is_over() {
    let (port, one, two) = two_addresses().await;
    let dns = Dns::start().await;
    dns.set_address("moving.test", ONE);
    let beside = Beside::start_with(format_args!("moving.test:{port}"), &dns.key(), "").await;
    let mut http = Http::http2(&beside.gateway, "app.test").await;
    assert_eq!(http.get("/broken/x").await.text(), "one");
    dns.set_address("moving.test", TWO);
    // The old container is gone, as it is after a restart.
    drop(one);
    eventually("requests to go to the new address", async || {
        let mut http = Http::http2(&beside.gateway, "app.test").await;
        (http.get("/broken/x").await.text() == "two").then_some(())
    })
    .await;
    assert_eq!(http.get("/broken/x").await.text(), "two");
    drop(two);
    beside.was_unaffected().await;
}

#[tokio::test]
async fn a_live_connection_to_the_old_address_does_not_hide_the_new_one() {
    let (port, one, _two) = two_addresses().await;
    let dns = Dns::start().await;
    dns.set_address("moving.test", ONE);
    let beside = Beside::start_with(format_args!("moving.test:{port}"), &dns.key(), "").await;
    let mut http = Http::http2(&beside.gateway, "app.test").await;
    assert_eq!(http.get("/broken/x").await.text(), "one");
    dns.set_address("moving.test", TWO);
    // The old one goes on answering on the connections that are kept alive to it.
    eventually("requests to go to the new address", async || {
        let mut http = Http::http2(&beside.gateway, "app.test").await;
        (http.get("/broken/x").await.text() == "two").then_some(())
    })
    .await;
    drop(one);
    beside.was_unaffected().await;
}

#[tokio::test]
async fn the_last_good_answer_is_kept_while_the_name_server_fails() {
    let (port, _one, _two) = two_addresses().await;
    let dns = Dns::start().await;
    dns.set_address("kept.test", ONE);
    let beside = Beside::start_with(format_args!("kept.test:{port}"), &dns.key(), "").await;
    let mut http = Http::http2(&beside.gateway, "app.test").await;
    assert_eq!(http.get("/broken/x").await.text(), "one");
    dns.set("kept.test", Answer::Failure);
    let before = dns.asked("kept.test");
    // The answer's second is over when the gateway has asked again.
    eventually("the gateway to ask again", async || {
        let mut http = Http::http2(&beside.gateway, "app.test").await;
        let reply = http.get("/broken/x").await;
        assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "one"));
        (dns.asked("kept.test") > before).then_some(())
    })
    .await;
    for _ in 0..3 {
        let mut http = Http::http2(&beside.gateway, "app.test").await;
        assert_eq!(http.get("/broken/x").await.text(), "one", "the last good answer is lost");
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn a_dead_address_of_several_is_passed_over() {
    let (port, one, two) = two_addresses().await;
    drop(one);
    let dns = Dns::start().await;
    dns.set("several.test", Answer::Addresses(vec![ONE, TWO], 60));
    let beside = Beside::start_with(format_args!("several.test:{port}"), &dns.key(), "").await;
    for mut http in beside.both().await {
        for _ in 0..4 {
            assert_eq!(http.get("/broken/x").await.text(), "two");
        }
    }
    drop(two);
    beside.was_unaffected().await;
}
