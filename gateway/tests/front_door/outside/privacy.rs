//! No secret is written anywhere: not to the access log, not to the events, not to the metrics.

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with, post};
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::replies::full;
use crate::harness::{config, one_site};

const SECRET: &str = "s3cr3t-t0ken";

async fn provoke(gateway: &Gateway) {
    let bearer = format!("Bearer {SECRET}");
    let cookie = format!("session={SECRET}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("cookie", &cookie),
        ("x-api-key", SECRET),
        ("proxy-authorization", &bearer),
    ];
    let query = format!("?token={SECRET}&password={SECRET}");
    for mut http in Http::both(gateway, "app.test").await {
        for path in ["/ok", "/gone", "/.env", "/limited", "/limited"] {
            http.request(get_with(&format!("{path}{query}"), &headers)).await;
        }
        http.request(post(&format!("/ok{query}"), full(SECRET))).await;
    }
    for request in [
        format!("GET /ok{query} HTTP/1.1\r\nHost: a\r\nHost: b\r\nCookie: {SECRET}\r\n\r\n"),
        format!("GET /ok{query} HTTP/1.1\r\nHost: app.test\r\nBroken : {SECRET}\r\n\r\n"),
        format!("GET https://user:{SECRET}@app.test/ok{query} HTTP/1.1\r\nHost: app.test\r\n\r\n"),
        format!("GET /ok HTTP/1.1\r\nHost: other.test\r\nAuthorization: {SECRET}\r\n\r\n"),
    ] {
        let mut raw = Raw::tls(gateway, "app.test").await;
        raw.write(request).await;
        raw.head().await;
    }
    let mut raw = Raw::plain(gateway.http()).await;
    raw.write(format!("GET /x{query} HTTP/1.1\r\nHost: app.test\r\nCookie: {SECRET}\r\n\r\n"))
        .await;
    raw.head().await;
}

#[tokio::test]
async fn secrets_of_requests_are_written_nowhere() {
    let origin = Origin::text("ok").await;
    let toml = format!(
        "[limit.few]\nrate = \"1/h\"\nburst = 1\n\n{}",
        one_site(origin.addr(), "").replace(
            "routes = [",
            "routes = [ { path = \"/gone\", to = \"127.0.0.1:1\" },\n\
             { path = \"/limited\", respond = { status = 200 }, limit = \"few\" },"
        )
    );
    for format in ["json", "combined"] {
        let server = format!("access_log = \"{format}\"");
        let mut gateway = Gateway::start(&config(&server, &toml)).await;
        provoke(&gateway).await;
        let metrics = Http::plain(gateway.admin(), "localhost").await.get("/metrics").await.text();
        assert!(gateway.stop().await.success());
        let log = gateway.access_log();
        assert!(log.lines().count() >= 10, "the requests are not in the log:\n{log}");
        for (place, text) in [("log", log), ("events", gateway.events()), ("metrics", metrics)] {
            let leaks: Vec<_> = text.lines().filter(|line| line.contains(SECRET)).collect();
            assert!(leaks.is_empty(), "a secret is in the {place} ({format}):\n{leaks:#?}");
        }
    }
}
