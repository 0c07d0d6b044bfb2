mod items;
mod live;
mod transfers;

use super::*;
use crate::demo::start;

#[tokio::test]
async fn it_says_how_it_is() {
    let origins = start().await.expect("started");
    let health = get(origins.backend, "/health").await;
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(health.json()["status"], "ok");

    let info = get(origins.backend, "/api/v1/system/info").await.json();
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["items"], 5);
    assert_eq!(info["requests"], 2);
}

#[tokio::test]
async fn metrics_count_what_was_done() {
    let origins = start().await.expect("started");
    send(origins.backend, "POST", "/api/v1/upload", "12345").await;
    let metrics = get(origins.backend, "/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in ["demo_requests_total 2", "demo_uploaded_bytes_total 5", "demo_items 5"] {
        assert!(metrics.text().lines().any(|l| l == line), "{}", metrics.text());
    }
}

#[tokio::test]
async fn the_echo_shows_the_request_as_it_came() {
    let origins = start().await.expect("started");
    let mut posted = request("POST", "/api/v1/echo/below?a=1&b=%20", "hello");
    for value in ["one", "two"] {
        let value = value.parse().expect("a header's value");
        posted.headers_mut().append("x-forwarded-for", value);
    }
    let seen = exchange(origins.backend, posted).await.json();
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["path"], "/api/v1/echo/below");
    assert_eq!(seen["query"], "a=1&b=%20");
    assert_eq!(seen["version"], "HTTP/1.1");
    assert_eq!(seen["headers"]["host"][0], "demo.test");
    assert_eq!(seen["headers"]["x-forwarded-for"], serde_json::json!(["one", "two"]));
    assert_eq!(seen["body"], serde_json::json!({ "bytes": 5, "text": "hello" }));

    let bare = get(origins.backend, "/api/v1/echo").await.json();
    assert_eq!(bare["query"], Value::Null);
    let binary = send(origins.backend, "POST", "/api/v1/echo", &b"\xff\x00"[..]).await;
    assert_eq!(binary.json()["body"], serde_json::json!({ "bytes": 2, "text": null }));
}

#[tokio::test]
async fn an_echo_has_a_longest_body() {
    let origins = start().await.expect("started");
    let most = send(origins.backend, "POST", "/api/v1/echo", vec![b'x'; 65_536]).await;
    assert_eq!(most.status, StatusCode::OK);
    let more = send(origins.backend, "POST", "/api/v1/echo", vec![b'x'; 65_537]).await;
    assert_eq!(more.status, StatusCode::PAYLOAD_TOO_LARGE);
    let sentence = "The body is longer than the 65536 bytes this path takes.";
    assert_eq!(more.json()["error"], sentence);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_a_sentence() {
    let origins = start().await.expect("started");
    let lost = get(origins.backend, "/api/v2/items").await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    let sentence = "The sample application has nothing at /api/v2/items.";
    assert_eq!(lost.json()["error"], sentence);

    for (method, path, allow) in [
        ("POST", "/health", "GET, HEAD"),
        ("POST", "/metrics", "GET, HEAD"),
        ("PUT", "/api/v1/system/info", "GET, HEAD"),
        ("PATCH", "/api/v1/items", "GET, HEAD, POST, DELETE"),
        ("PUT", "/api/v1/items/1", "GET, HEAD, DELETE"),
        ("POST", "/api/v1/events", "GET, HEAD"),
        ("POST", "/api/v1/bytes/1", "GET, HEAD"),
        ("GET", "/api/v1/upload", "POST, PUT"),
    ] {
        let answer = send(origins.backend, method, path, "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
}
