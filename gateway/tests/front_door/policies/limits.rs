//! Rate limits. The rates here are so low that nothing comes back while a test runs.
//!
//! What nginx did: `limit_req_zone` by address, `nodelay`, with 503 and no word about when to come
//! back; an IPv6 client had a count for each of its addresses.

use hyper::StatusCode;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::Origin;
use crate::harness::replies::Reply;
use crate::harness::{config, one_site};

const FEW: &str = "[limit.few]\nrate = \"1/min\"\nburst = 3\nkey = \"client_ip\"\n\n";

/// The value of a parameter of a structured-field item: `r` of `"few";r=0;t=60`.
fn parameter(value: &str, name: &str) -> Option<u64> {
    value
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.parse().ok())
}

fn remaining(reply: &Reply) -> Option<u64> {
    parameter(&reply.header("ratelimit")?, "r")
}

#[tokio::test]
async fn the_burst_is_served_at_once_and_the_next_request_is_429() {
    let origin = Origin::text("ok").await;
    let toml = format!("{FEW}{}", one_site(origin.addr(), "limit = \"few\""));
    let gateway = Gateway::start(&config("", &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for left in [2, 1, 0] {
        let reply = http.get("/").await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(remaining(&reply), Some(left), "{:?}", reply.headers);
        let policy = reply.header("ratelimit-policy").expect("no RateLimit-Policy");
        assert!(policy.starts_with("\"few\""), "RateLimit-Policy: {policy}");
        assert_eq!(parameter(&policy, "q"), Some(3), "RateLimit-Policy: {policy}");
        assert!(parameter(&policy, "w").is_some_and(|window| window > 0), "{policy}");
    }
    let reply = http.get("/").await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(remaining(&reply), Some(0), "{:?}", reply.headers);
    assert!(reply.header("ratelimit-policy").is_some());
    let retry: u64 = reply.header("retry-after").expect("no Retry-After").parse().unwrap();
    assert!((1..=60).contains(&retry), "Retry-After: {retry}, where one comes back each minute");
    assert_eq!(origin.seen().len(), 3, "the refused request reached the origin");
}

#[tokio::test]
async fn the_count_is_the_client_s_over_all_its_connections_and_nobody_else_s() {
    let origin = Origin::text("ok").await;
    let toml = format!("{FEW}{}", one_site(origin.addr(), "limit = \"few\""));
    let gateway = Gateway::start(&config("workers = 4", &toml)).await;
    for _ in 0..3 {
        let mut http = Http::http1(&gateway, "app.test").await;
        assert_eq!(http.get("/").await.status, StatusCode::OK);
    }
    for mut http in Http::both(&gateway, "app.test").await {
        assert_eq!(http.get("/").await.status, StatusCode::TOO_MANY_REQUESTS);
    }
    let mut http = Http::http1_from(&gateway, "app.test", "127.0.0.2").await;
    assert_eq!(http.get("/").await.status, StatusCode::OK, "another client has its own count");
}

#[tokio::test]
async fn the_nearest_level_s_limit_counts_and_one_limit_is_shared_by_its_routes() {
    let origin = Origin::text("ok").await;
    let toml = format!(
        "{FEW}[limit.many]\nrate = \"1/min\"\nburst = 50\n\n\
         [site.\"app.test\"]\ntls = \"self-signed\"\nlimit = \"many\"\nroutes = [\n\
         {{ path = \"/a/*\", to = \"{0}\", limit = \"few\" }},\n\
         {{ path = \"/b/*\", to = \"{0}\", limit = \"few\" }},\n\
         {{ path = \"/*\", to = \"{0}\" }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for path in ["/a/1", "/b/2", "/a/3"] {
        assert_eq!(http.get(path).await.status, StatusCode::OK, "{path}");
    }
    for path in ["/a/4", "/b/4"] {
        assert_eq!(http.get(path).await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    let reply = http.get("/elsewhere").await;
    assert_eq!(reply.status, StatusCode::OK, "the other routes have the site's limit");
    assert_eq!(remaining(&reply), Some(49), "the routes with their own do not use it up");
}

#[tokio::test]
async fn three_hundred_requests_at_once_are_served_up_to_the_burst() {
    let origin = Origin::text("ok").await;
    let toml = format!(
        "[limit.api]\nrate = \"1/h\"\nburst = 20\n\n{}",
        one_site(origin.addr(), "limit = \"api\"")
    );
    let gateway = Gateway::start(&config("workers = 2", &toml)).await;
    let http = Http::http2(&gateway, "app.test").await;
    let requests: Vec<_> = (0..300)
        .map(|_| {
            let mut beside = http.beside();
            tokio::spawn(async move { beside.get("/api/x").await.status.as_u16() })
        })
        .collect();
    let mut served = 0;
    for request in requests {
        match request.await.unwrap() {
            200 => served += 1,
            429 => {}
            other => panic!("a request over the limit was answered with {other}"),
        }
    }
    assert_eq!(served, 20);
}

#[tokio::test]
async fn ipv6_clients_are_counted_by_their_64() {
    let origin = Origin::text("ok").await;
    let toml = format!("{FEW}{}", one_site(origin.addr(), "limit = \"few\""));
    let server = "trusted_proxies = [\"127.0.0.0/8\"]";
    let gateway = Gateway::start(&config(server, &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut status = async |client: &str| {
        http.request(get_with("/", &[("x-forwarded-for", client)])).await.status.as_u16()
    };
    for client in ["2001:db8::1", "2001:db8::ffff", "2001:db8:0:0:9999::3"] {
        assert_eq!(status(client).await, 200, "{client}");
    }
    assert_eq!(status("2001:db8::4").await, 429, "the fourth of one /64");
    assert_eq!(status("2001:db8:0:1::4").await, 200, "another /64");
    assert_eq!(status("203.0.113.1").await, 200);
}
