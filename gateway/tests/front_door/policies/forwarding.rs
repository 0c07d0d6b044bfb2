//! What the origin learns about a request besides what the client said.
//!
//! What nginx did: `Host`, `X-Real-IP`, `X-Forwarded-For` and `X-Forwarded-Proto`, in each location.

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, get_with};
use crate::harness::origin::{Origin, echoed, echoed_once};
use crate::harness::{answering_site, config, one_site};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

async fn echoing() -> (Origin, Gateway) {
    let origin = Origin::echo().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    (origin, gateway)
}

#[tokio::test]
async fn host_and_forwarded_headers_say_how_the_client_asked() {
    let origin = Origin::echo().await;
    let site = one_site(origin.addr(), "aliases = [\"alias.test\"]");
    let gateway = Gateway::start(&config("", &site)).await;
    for host in ["app.test", "alias.test"] {
        for mut http in Http::both(&gateway, host).await {
            let seen = http.get("/").await.json();
            let one = |name: &str| echoed_once(&seen, name);
            assert_eq!(one("host").as_deref(), Some(host));
            assert_eq!(one("x-forwarded-host").as_deref(), Some(host));
            assert_eq!(one("x-forwarded-proto").as_deref(), Some("https"));
            assert_eq!(one("x-forwarded-for").as_deref(), Some("127.0.0.1"));
            assert_eq!(one("x-real-ip").as_deref(), Some("127.0.0.1"));
            let names = seen["headers"].to_string();
            assert!(!names.contains("\":"), "a pseudo-field reached the origin: {names}");
        }
    }
}

#[tokio::test]
async fn forwarded_is_sent_on_request_behind_what_a_trusted_proxy_says() {
    let origin = Origin::echo().await;
    let told = one_site(origin.addr(), "forwarded = true");
    let theirs = [("forwarded", "for=203.0.113.7"), ("x-forwarded-for", "203.0.113.7")];
    let ours = "for=127.0.0.1;host=\"app.test\";proto=https";
    let cases = [
        ("", told.clone(), Some(ours.to_owned())),
        ("trusted_proxies = [\"127.0.0.1\"]", told, Some(format!("for=203.0.113.7, {ours}"))),
        ("", one_site(origin.addr(), ""), None),
    ];
    for (server, site, expected) in cases {
        let gateway = Gateway::start(&config(server, &site)).await;
        for mut http in Http::both(&gateway, "app.test").await {
            let seen = http.request(get_with("/", &theirs)).await.json();
            assert_eq!(echoed_once(&seen, "forwarded"), expected, "{server}");
        }
    }
}

#[tokio::test]
async fn every_request_has_an_id_that_origin_log_and_client_agree_on() {
    let (_origin, gateway) = echoing().await;
    let mut ids = Vec::new();
    for mut http in Http::both(&gateway, "app.test").await {
        for _ in 0..3 {
            let path = format!("/id/{}", ids.len());
            let claimed = get_with(&path, &[("x-request-id", "claimed")]);
            let seen = http.request(claimed).await.json();
            let id = echoed_once(&seen, "x-request-id").expect("no X-Request-Id at the origin");
            let record = gateway.record_of(&path).await;
            assert_eq!(record["request_id"], id.as_str(), "{record}");
            assert_ne!(id, "claimed", "a stranger chose the id");
            assert!(!ids.contains(&id), "the id {id} was given twice");
            ids.push(id);
        }
    }
}

#[tokio::test]
async fn a_trace_is_continued() {
    let (_origin, gateway) = echoing().await;
    for mut http in Http::both(&gateway, "app.test").await {
        let path = format!("/trace/{:?}", http.version()).replace("HTTP/", "");
        let given = format!("00-{TRACE}-{SPAN}-01");
        let request = get_with(&path, &[("traceparent", &given), ("tracestate", "vendor=x")]);
        let seen = http.request(request).await.json();
        let sent = echoed_once(&seen, "traceparent").expect("no traceparent at the origin");
        let fields: Vec<&str> = sent.split('-').collect();
        assert_eq!(fields.len(), 4, "{sent}");
        assert_eq!((fields[0], fields[1], fields[3]), ("00", TRACE, "01"), "{sent}");
        assert_ne!(fields[2], SPAN, "the gateway is a span of its own");
        assert_eq!(echoed(&seen, "tracestate"), ["vendor=x"]);
        let record = gateway.record_of(&path).await;
        assert_eq!(record["trace_id"], TRACE, "{record}");
    }
}

#[tokio::test]
async fn a_trace_is_begun_where_there_is_none_or_nonsense() {
    let (_origin, gateway) = echoing().await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let zero = format!("00-{}-{SPAN}-01", "0".repeat(32));
    let cases = [None, Some("rubbish"), Some(zero.as_str()), Some("00-xyz-abc-01")];
    for (number, given) in cases.into_iter().enumerate() {
        let path = format!("/begin/{number}");
        let request = match given {
            Some(given) => get_with(&path, &[("traceparent", given)]),
            None => get(&path),
        };
        let seen = http.request(request).await.json();
        let sent = echoed_once(&seen, "traceparent").expect("no traceparent at the origin");
        let fields: Vec<&str> = sent.split('-').collect();
        assert_eq!(fields.iter().map(|field| field.len()).collect::<Vec<_>>(), [2, 32, 16, 2]);
        assert!(fields[1].bytes().any(|byte| byte != b'0'), "{sent}");
        let record = gateway.record_of(&path).await;
        assert_eq!(record["trace_id"], fields[1], "{record}");
    }
}

#[tokio::test]
async fn end_to_end_headers_pass_as_they_are() {
    let (_origin, gateway) = echoing().await;
    for mut http in Http::both(&gateway, "app.test").await {
        let request = get_with(
            "/",
            &[
                ("accept", "text/html, */*;q=0.1"),
                ("authorization", "Bearer abc"),
                ("if-none-match", "\"x\""),
                ("range", "bytes=0-9"),
                ("x-custom", "one"),
                ("x-custom", "two"),
                ("x-empty", ""),
                ("user-agent", "test"),
            ],
        );
        let seen = http.request(request).await.json();
        assert_eq!(echoed(&seen, "accept"), ["text/html, */*;q=0.1"]);
        assert_eq!(echoed(&seen, "authorization"), ["Bearer abc"]);
        assert_eq!(echoed(&seen, "if-none-match"), ["\"x\""]);
        assert_eq!(echoed(&seen, "range"), ["bytes=0-9"]);
        assert_eq!(echoed(&seen, "x-custom"), ["one", "two"]);
        assert_eq!(echoed(&seen, "x-empty"), [""]);
        assert_eq!(echoed(&seen, "user-agent"), ["test"]);
        assert_eq!(echoed(&seen, "accept-encoding"), Vec::<String>::new(), "added by the gateway");
    }
}

#[tokio::test]
async fn cookies_that_http2_splits_are_one_line_again() {
    let (_origin, gateway) = echoing().await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let request = get_with("/", &[("cookie", "a=1"), ("cookie", "b=2; c=3")]);
    let seen = http.request(request).await.json();
    // RFC 9113, section 8.2.3.
    assert_eq!(echoed(&seen, "cookie"), ["a=1; b=2; c=3"]);
}

#[tokio::test]
async fn a_header_that_programs_take_for_a_proxy_is_dropped() {
    let (_origin, gateway) = echoing().await;
    for mut http in Http::both(&gateway, "app.test").await {
        let seen = http.request(get_with("/", &[("proxy", "http://evil.test")])).await.json();
        // CVE-2016-5385.
        assert_eq!(echoed(&seen, "proxy"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_origin_s_answer_is_the_client_s() {
    let origin = Origin::http(async |_| {
        hyper::Response::builder()
            .status(299)
            .header("content-type", "application/x-thing")
            .header("etag", "\"1\"")
            .header("vary", "accept")
            .header("vary", "origin")
            .body(crate::harness::replies::full("thing"))
            .unwrap()
    })
    .await;
    let sites = [one_site(origin.addr(), ""), answering_site("other.test")].join("\n");
    let gateway = Gateway::start(&config("", &sites)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let reply = http.get("/").await;
        assert_eq!(reply.status, 299);
        assert_eq!(reply.header("content-type").as_deref(), Some("application/x-thing"));
        assert_eq!(reply.header("etag").as_deref(), Some("\"1\""));
        assert_eq!(reply.values("vary"), ["accept", "origin"]);
        assert_eq!(reply.values("date").len(), 1);
        assert_eq!(reply.text(), "thing");
    }
}
