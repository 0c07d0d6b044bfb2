//! The plain listener: `/healthz`, and a redirect to https for everything else.
//!
//! What nginx did: 301 to the configured name, so that who had asked for an alias went elsewhere.

use hyper::StatusCode;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::raw_client::Raw;
use crate::harness::{answering_site_with, config};

async fn gateway(server: &str) -> Gateway {
    let site = answering_site_with(
        "app.test",
        "tls = \"self-signed\"\naliases = [\"alias.test\", \"*.wild.test\"]",
    );
    Gateway::start(&config(server, &site)).await
}

/// What the https address of a host may look like: with the listener's port, or without one.
fn https(gateway: &Gateway, host: &str, tail: &str) -> [String; 2] {
    let port = gateway.https().port();
    [format!("https://{host}{tail}"), format!("https://{host}:{port}{tail}")]
}

#[tokio::test]
async fn everything_is_redirected_to_the_host_that_was_asked_for() {
    let gateway = gateway("").await;
    let tail = "/a/b%20c?x=1&y=%2F";
    for host in ["app.test", "alias.test", "any.wild.test"] {
        let mut http = Http::plain(gateway.http(), host).await;
        let reply = http.get(tail).await;
        assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "{host}");
        let location = reply.header("location").expect("a redirect without Location");
        assert!(https(&gateway, host, tail).contains(&location), "{host} is sent to {location}");
    }
}

#[tokio::test]
async fn the_plain_port_does_not_get_into_the_redirect() {
    let gateway = gateway("").await;
    let mut http = Http::plain(gateway.http(), "app.test").await;
    let host = format!("app.test:{}", gateway.http().port());
    let reply = http.request(get_with("/x", &[("host", &host)])).await;
    assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT);
    let location = reply.header("location").unwrap();
    assert!(https(&gateway, "app.test", "/x").contains(&location), "sent to {location}");
}

#[tokio::test]
async fn healthz_is_answered_here_for_any_host() {
    let gateway = gateway("").await;
    for host in ["app.test", "10.0.0.1", "unknown.test"] {
        let mut http = Http::plain(gateway.http(), host).await;
        let reply = http.get("/healthz").await;
        assert_eq!(reply.status, StatusCode::OK, "Host: {host}");
    }
    let mut http = Http::plain(gateway.http(), "app.test").await;
    let reply = http.get("/healthzzz").await;
    assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "only /healthz itself");
}

#[tokio::test]
async fn nothing_is_served_in_the_clear() {
    let gateway = gateway("").await;
    let mut http = Http::plain(gateway.http(), "app.test").await;
    for path in ["/", "/x", "/metrics", "/livez", "/readyz"] {
        let reply = http.get(path).await;
        assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "{path}");
        assert!(!reply.text().contains("app.test\n"), "{path}: {}", reply.text());
    }
}

#[tokio::test]
async fn an_unknown_host_is_closed_without_an_answer() {
    for server in ["", "unknown_host = \"close\""] {
        let gateway = gateway(server).await;
        let mut raw = Raw::plain(gateway.http()).await;
        raw.write("GET / HTTP/1.1\r\nHost: unknown.test\r\n\r\n").await;
        let answer = String::from_utf8_lossy(&raw.rest().await).into_owned();
        assert_eq!(answer, "", "an unknown host was answered");
    }
}

#[tokio::test]
async fn an_unknown_host_is_answered_as_configured() {
    for status in [421, 404] {
        let gateway = gateway(&format!("unknown_host = {status}")).await;
        let mut http = Http::plain(gateway.http(), "unknown.test").await;
        let reply = http.get("/").await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("location"), None);
    }
}

#[tokio::test]
async fn a_redirect_cannot_be_steered_by_the_request() {
    let gateway = gateway("").await;
    // What a Location of `https://app.test` + target must never become: another host's address.
    for target in ["//evil.test/", "/\\evil.test", "@evil.test/", ".evil.test/"] {
        let mut raw = Raw::plain(gateway.http()).await;
        raw.write(format!("GET {target} HTTP/1.1\r\nHost: app.test\r\n\r\n")).await;
        let Some(head) = raw.head().await else { continue };
        if let Some(location) = head.field("location") {
            let known = https(&gateway, "app.test", "/");
            let is_here = known.iter().any(|here| location.starts_with(here.as_str()));
            assert!(is_here, "{target} leads to {location}");
        } else {
            assert!((400..500).contains(&head.status), "{target}: {head:?}");
        }
    }
}
