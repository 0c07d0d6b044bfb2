//! Who the client is taken to be.
//!
//! What nginx did: `set_real_ip_from` with Cloudflare's networks, a list that goes stale by hand.

use serde_json::Value;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::{Origin, echoed, echoed_once};
use crate::harness::{config, one_site};

async fn gateway(trusted: &str) -> (Origin, Gateway) {
    let origin = Origin::echo().await;
    let server = format!("trusted_proxies = [{trusted}]");
    let gateway = Gateway::start(&config(&server, &one_site(origin.addr(), ""))).await;
    (origin, gateway)
}

/// What the origin sees of a request with these headers.
async fn seen(gateway: &Gateway, source: &str, headers: &[(&str, &str)]) -> Value {
    let mut http = Http::http1_from(gateway, "app.test", source).await;
    http.request(get_with("/", headers)).await.json()
}

#[tokio::test]
async fn what_strangers_claim_is_dropped() {
    let (_origin, gateway) = gateway("").await;
    let claims = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-real-ip", "6.6.6.6"),
        ("forwarded", "for=6.6.6.6;host=evil.test;proto=http"),
        ("cf-connecting-ip", "6.6.6.6"),
        ("true-client-ip", "6.6.6.6"),
        ("x-client-ip", "6.6.6.6"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "http"),
    ];
    let seen = seen(&gateway, "127.0.0.5", &claims).await;
    let all = seen["headers"].to_string();
    assert!(!all.contains("6.6.6.6"), "a claimed address reached the origin: {all}");
    assert!(!all.contains("evil.test"), "a claimed host reached the origin: {all}");
    assert_eq!(echoed_once(&seen, "x-forwarded-for").as_deref(), Some("127.0.0.5"));
    assert_eq!(echoed_once(&seen, "x-real-ip").as_deref(), Some("127.0.0.5"));
    assert_eq!(echoed_once(&seen, "x-forwarded-proto").as_deref(), Some("https"));
    assert_eq!(echoed_once(&seen, "x-forwarded-host").as_deref(), Some("app.test"));
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_from_right_to_left() {
    let (_origin, gateway) = gateway("\"127.0.0.2/32\", \"10.0.0.0/8\"").await;
    let cases = [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9,10.1.2.3 , 10.9.9.9", "203.0.113.9"),
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8::7", "2001:db8::7"),
    ];
    for (chain, client) in cases {
        let seen = seen(&gateway, "127.0.0.2", &[("x-forwarded-for", chain)]).await;
        assert_eq!(echoed_once(&seen, "x-real-ip").as_deref(), Some(client), "{chain}");
        let forwarded = echoed_once(&seen, "x-forwarded-for").unwrap();
        assert!(forwarded.contains(client), "{chain} became {forwarded}");
        assert!(forwarded.ends_with("127.0.0.2"), "{chain} became {forwarded}");
    }
}

#[tokio::test]
async fn several_header_lines_are_one_chain() {
    let (_origin, gateway) = gateway("\"127.0.0.2/32\", \"10.0.0.0/8\"").await;
    let mut http = Http::http1_from(&gateway, "app.test", "127.0.0.2").await;
    let request = get_with(
        "/",
        &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9, 10.1.1.1")],
    );
    let seen = http.request(request).await.json();
    assert_eq!(echoed_once(&seen, "x-real-ip").as_deref(), Some("203.0.113.9"));
    assert_eq!(echoed(&seen, "x-forwarded-for").len(), 1);
}

#[tokio::test]
async fn a_stranger_beside_a_trusted_proxy_is_still_a_stranger() {
    let (_origin, gateway) = gateway("\"127.0.0.2/32\"").await;
    let seen = seen(&gateway, "127.0.0.3", &[("x-forwarded-for", "203.0.113.9")]).await;
    assert_eq!(echoed_once(&seen, "x-real-ip").as_deref(), Some("127.0.0.3"));
    assert_eq!(echoed_once(&seen, "x-forwarded-for").as_deref(), Some("127.0.0.3"));
}

#[tokio::test]
async fn cloudflare_s_header_is_believed_from_cloudflare_only() {
    let (_origin, gateway) = gateway("\"cloudflare\", \"127.0.0.2/32\"").await;
    // Another trusted proxy does not speak for Cloudflare, and loopback is not Cloudflare.
    for source in ["127.0.0.1", "127.0.0.2"] {
        let seen = seen(&gateway, source, &[("cf-connecting-ip", "203.0.113.9")]).await;
        assert_eq!(echoed_once(&seen, "x-real-ip").as_deref(), Some(source));
    }
}

#[tokio::test]
async fn nonsense_from_a_trusted_proxy_is_not_an_address() {
    let (_origin, gateway) = gateway("\"127.0.0.2/32\"").await;
    for chain in ["", "rubbish", "1.2.3", "203.0.113.9, unknown", "127.0.0.1; DROP"] {
        let seen = seen(&gateway, "127.0.0.2", &[("x-forwarded-for", chain)]).await;
        assert_eq!(echoed_once(&seen, "x-real-ip").as_deref(), Some("127.0.0.2"), "{chain:?}");
    }
}

#[tokio::test]
async fn the_access_log_names_the_real_client() {
    let (_origin, gateway) = gateway("\"127.0.0.2/32\"").await;
    let mut http = Http::http1_from(&gateway, "app.test", "127.0.0.2").await;
    http.request(get_with("/who", &[("x-forwarded-for", "203.0.113.9")])).await;
    let record = gateway.record_of("/who").await;
    assert_eq!(record["client"], "203.0.113.9", "{record}");
}
