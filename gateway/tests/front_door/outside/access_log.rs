//! One record a request.
//!
//! What nginx did: a log file for each site, off for health checks and assets.

use hyper::header::CONTENT_LENGTH;
use serde_json::Value;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, get_with, post};
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::replies::full;
use crate::harness::{answering_site, config, one_site};

fn number(record: &Value, field: &str) -> f64 {
    record[field].as_f64().unwrap_or_else(|| panic!("{field} is no number: {record}"))
}

#[tokio::test]
async fn a_proxied_request_is_described_in_full() {
    let origin = Origin::http(async |request: hyper::Request<hyper::body::Incoming>| {
        let body = http_body_util::BodyExt::collect(request.into_body()).await.unwrap();
        drop(body);
        hyper::Response::builder().status(201).body(full("created!")).unwrap()
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for (mut http, proto, path) in [
        (Http::http1(&gateway, "app.test").await, "HTTP/1.1", "/one"),
        (Http::http2(&gateway, "app.test").await, "HTTP/2", "/two"),
    ] {
        http.request(post(path, full("12345"))).await;
        let record = gateway.record_of(path).await;
        let expected = [
            ("client", "127.0.0.1"),
            ("site", "app.test"),
            ("route", "/*"),
            ("method", "POST"),
            ("host", "app.test"),
            ("proto", proto),
            ("tls", "TLSv1.3"),
        ];
        for (field, value) in expected {
            assert_eq!(record[field], value, "{field} of {record}");
        }
        let group = format!("{:?}", http.facts().group.unwrap());
        assert_eq!(record["kx"], group.as_str(), "{record}");
        assert_eq!(record["status"], 201, "{record}");
        assert_eq!(record["upstream_status"], 201, "{record}");
        assert_eq!(record["resumed"], false, "{record}");
        assert!(record["error"].is_null(), "{record}");
        assert!(number(&record, "bytes_in") >= 5.0, "{record}");
        assert!(number(&record, "bytes_out") >= 8.0, "{record}");
        let upstream = record["upstream"].as_str().unwrap_or_default();
        assert!(upstream.contains(&origin.addr().to_string()), "{record}");
        let (total, there) = (number(&record, "duration_ms"), number(&record, "upstream_ms"));
        assert!(there > 0.0 && total >= there, "{there} of {total} ms: {record}");
        let trace = record["trace_id"].as_str().unwrap_or_default();
        assert_eq!(trace.len(), 32, "{record}");
        let time = record["time"].as_str().unwrap_or_default();
        assert!(time.starts_with("20") && time.contains('T') && time.ends_with('Z'), "{record}");
    }
}

#[tokio::test]
async fn every_request_has_exactly_one_record() {
    let origin = Origin::text("ok").await;
    let mut gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut sent = 0;
    for mut http in Http::both(&gateway, "app.test").await {
        for number in 0..25 {
            http.get(&format!("/{:?}/{number}", http.version())).await;
            sent += 1;
        }
    }
    assert!(gateway.stop().await.success());
    let log = gateway.access_log();
    let mut paths: Vec<String> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["path"].to_string())
        .collect();
    assert_eq!(paths.len(), sent, "records of {sent} requests:\n{log}");
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), sent, "a request was written twice");
}

#[tokio::test]
async fn answers_of_the_gateway_itself_are_written_too() {
    let toml = "[limit.few]\nrate = \"1/h\"\nburst = 1\n\n\
        [site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
        { path = \"/fixed\", respond = { status = 200, body = \"x\" } },\n\
        { path = \"/limited\", respond = { status = 200, body = \"x\" }, limit = \"few\" },\n\
        { path = \"/denied\", respond = { status = 200, body = \"x\" }, deny = [\"127.0.0.0/8\"] },\n\
        { path = \"/gone/*\", to = \"127.0.0.1:1\" },\n]\n";
    let gateway = Gateway::start(&config("", toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    http.get("/limited").await;
    let expected = [
        ("/fixed", 200, "/fixed", false),
        ("/denied", 403, "/denied", true),
        ("/gone/x", 502, "/gone/*", true),
        ("/nowhere", 404, "", true),
    ];
    for (path, status, route, is_fault) in expected {
        assert_eq!(http.get(path).await.status, status);
        let record = gateway.record_of(path).await;
        assert_eq!(record["status"], status, "{record}");
        assert_eq!(record["site"], "app.test", "{record}");
        if !route.is_empty() {
            assert_eq!(record["route"], route, "{record}");
        }
        assert_eq!(record["error"].is_string(), is_fault, "{record}");
    }
    http.get("/limited").await;
    let limited = |record: &Value| record["path"] == "/limited" && record["status"] == 429;
    gateway.record("the record of a 429", limited).await;
}

#[tokio::test]
async fn a_request_that_is_malformed_or_misdirected_is_written() {
    let sites = [answering_site("app.test"), answering_site("other.test")].join("\n");
    let gateway = Gateway::start(&config("", &sites)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    http.request(get("https://other.test/misdirected")).await;
    let record = gateway.record_of("/misdirected").await;
    assert_eq!(record["status"], 421, "{record}");
    assert_eq!(record["host"], "other.test", "{record}");
    assert_ne!(record["site"], "other.test", "{record}");

    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write("GET /twice HTTP/1.1\r\nHost: app.test\r\nHost: app.test\r\n\r\n").await;
    raw.head().await;
    let malformed = |record: &Value| record["status"] == 400;
    gateway.record("the record of a 400", malformed).await;
}

#[tokio::test]
async fn a_route_may_be_kept_out_of_it() {
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
        { path = \"/health\", respond = { status = 200, body = \"x\" }, log = false },\n\
        { path = \"/*\", respond = { status = 200, body = \"x\" } },\n]\n";
    let gateway = Gateway::start(&config("", toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    http.get("/health").await;
    http.get("/after").await;
    gateway.record_of("/after").await;
    assert!(!gateway.access_log().contains("/health"), "{}", gateway.access_log());
}

#[tokio::test]
async fn no_path_host_or_method_breaks_the_line() {
    let gateway = Gateway::start(&config("", &answering_site("app.test"))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write("GET /%0a%22%7b}\"x HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n").await;
    raw.rest().await;
    let mut http = Http::http2(&gateway, "app.test").await;
    http.get("/last").await;
    gateway.record_of("/last").await;
    for line in gateway.access_log().lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "this is no JSON: {line}");
    }
}

#[tokio::test]
async fn the_combined_format_is_what_log_readers_read() {
    let gateway =
        Gateway::start(&config("access_log = \"combined\"", &answering_site("app.test"))).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    let agent = "evil\" 200 1 \"-\" \"agent";
    let request = get_with("/page", &[("user-agent", agent), ("referer", "https://from.test/")]);
    let reply = http.request(request).await;
    let length: usize = reply.headers[CONTENT_LENGTH].to_str().unwrap().parse().unwrap();
    let line = gateway.log_line("the request", |line| line.contains("/page")).await;

    let (client, rest) = line.split_once(" - - [").expect(&line);
    assert_eq!(client, "127.0.0.1", "{line}");
    let (time, rest) = rest.split_once("] \"").expect(&line);
    assert_eq!(time.len(), "23/Nov/2026:15:55:25 +0000".len(), "{line}");
    let (request, rest) = rest.split_once("\" ").expect(&line);
    assert_eq!(request, "GET /page HTTP/1.1", "{line}");
    let (status, rest) = rest.split_once(' ').expect(&line);
    assert_eq!(status, "200", "{line}");
    let (bytes, rest) = rest.split_once(' ').expect(&line);
    assert!(bytes.parse::<usize>().unwrap() >= length, "{line}");
    assert!(rest.starts_with("\"https://from.test/\" \""), "{line}");
    let quotes = rest.matches('"').count() - rest.matches("\\\"").count();
    assert_eq!(quotes, 4, "the user agent forged a field: {line}");
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let gateway =
        Gateway::start(&config("access_log = \"off\"", &answering_site("app.test"))).await;
    let mut gateway = gateway;
    Http::http2(&gateway, "app.test").await.get("/page").await;
    assert!(gateway.stop().await.success());
    assert_eq!(gateway.access_log(), "");
}
