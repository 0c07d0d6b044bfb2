//! Paths: exact, prefix, everything; the most specific wins.
//!
//! What nginx did: `/health` and `/ws` were prefixes, so that `/healthanything` and `/wsomething` went
//! the same way.

use hyper::{Method, Request, StatusCode};

use crate::harness::config;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::raw_client::Raw;
use crate::harness::replies::{empty, full};

/// A site whose every route answers with its own pattern.
fn site(patterns: &[&str]) -> String {
    let routes: Vec<String> = patterns
        .iter()
        .map(|path| {
            format!("  {{ path = \"{path}\", respond = {{ status = 200, body = \"{path}\" }} }},\n")
        })
        .collect();
    let routes = routes.concat();
    format!("[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n{routes}]\n")
}

#[tokio::test]
async fn the_most_specific_route_wins_whatever_the_order() {
    let patterns = ["/*", "/a/*", "/a/b", "/a/b/*", "/ab/*"];
    // `/a/b` and `/a/b/*` both fit `/a/b`: the exact one is the more specific.
    let expected = [
        ("/", "/*"),
        ("/x", "/*"),
        ("/a", "/a/*"),
        ("/a/", "/a/*"),
        ("/a/x", "/a/*"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/*"),
        ("/a/b/c/d", "/a/b/*"),
        ("/a/bc", "/a/*"),
        ("/ab", "/ab/*"),
        ("/ab/a/b", "/ab/*"),
        ("/abc", "/*"),
        ("/A/b", "/*"),
        ("/a/b?x=/ab/", "/a/b"),
    ];
    let mut reversed = patterns;
    reversed.reverse();
    for order in [patterns, reversed] {
        let gateway = Gateway::start(&config("", &site(&order))).await;
        for mut http in Http::both(&gateway, "app.test").await {
            for (path, route) in expected {
                assert_eq!(http.get(path).await.text(), route, "{path} with the order {order:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_prefix_ends_at_a_segment() {
    let gateway = Gateway::start(&config("", &site(&["/x/*"]))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for path in ["/x", "/x/", "/x/y", "/x/y/z", "/x?q"] {
        assert_eq!(http.get(path).await.status, StatusCode::OK, "{path} is of /x/*");
    }
    for path in ["/xy", "/xy/z", "/", "/X", "/y/x"] {
        assert_eq!(http.get(path).await.status, StatusCode::NOT_FOUND, "{path} is not of /x/*");
    }
    let gateway = Gateway::start(&config("", &site(&["/ws/*", "/*"]))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for (path, route) in [("/ws", "/ws/*"), ("/ws/room", "/ws/*"), ("/wsomething", "/*")] {
        assert_eq!(http.get(path).await.text(), route, "{path}");
    }
}

#[tokio::test]
async fn an_exact_path_is_that_path_only() {
    let gateway = Gateway::start(&config("", &site(&["/health"]))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/health").await.text(), "/health");
    assert_eq!(http.get("/health?full").await.text(), "/health");
    for path in ["/healthanything", "/health/", "/health/x", "/healt"] {
        assert_eq!(http.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn spellings_of_one_path_take_one_route() {
    let gateway = Gateway::start(&config("", &site(&["/*", "/admin/*"]))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for path in [
            "/admin/x",
            "/%61dmin/x",
            "/a/../admin/x",
            "/./admin/x",
            "//admin/x",
            "/a/%2e%2e/admin",
        ] {
            let reply = http.get(path).await;
            assert_eq!(reply.text(), "/admin/*", "{path} escapes from its route");
        }
    }
}

#[tokio::test]
async fn a_fixed_answer_has_its_status_and_body_and_no_body_for_head() {
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
        { path = \"/teapot\", respond = { status = 418, body = \"short and stout\\n\" } },\n\
        { path = \"/nothing\", respond = { status = 204 } },\n\
        ]\n";
    let gateway = Gateway::start(&config("", toml)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let reply = http.get("/teapot").await;
        assert_eq!(reply.status, StatusCode::IM_A_TEAPOT);
        assert_eq!(reply.text(), "short and stout\n");
        assert_eq!(reply.header("content-length").as_deref(), Some("16"));
        assert!(reply.header("content-type").is_some_and(|value| value.starts_with("text/plain")));

        let head = Request::head("/teapot").body(empty()).unwrap();
        let reply = http.request(head).await;
        assert_eq!((reply.status, reply.body.len()), (StatusCode::IM_A_TEAPOT, 0));
        assert_eq!(reply.header("content-length").as_deref(), Some("16"));

        let reply = http.get("/nothing").await;
        assert_eq!((reply.status, reply.body.len()), (StatusCode::NO_CONTENT, 0));
    }
}

#[tokio::test]
async fn a_fixed_answer_does_not_mind_a_body_or_method() {
    let gateway = Gateway::start(&config("", &site(&["/*"]))).await;
    let mut http2 = Http::http2(&gateway, "app.test").await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let request = || Request::builder().method(&method).uri("/x").body(full("a body")).unwrap();
        assert_eq!(http2.request(request()).await.text(), "/*", "{method} over HTTP/2");
        let mut http1 = Http::http1(&gateway, "app.test").await;
        assert_eq!(http1.request(request()).await.text(), "/*", "{method} over HTTP/1.1");
    }
}

#[tokio::test]
async fn a_connection_that_closes_behind_an_answer_is_said_to_close() {
    let gateway = Gateway::start(&config("", &site(&["/x"]))).await;
    // None of these bodies is read for the answer's sake: a fixed one, and a 404.
    for path in ["/x", "/missing"] {
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: app.test\r\nContent-Length: 6\r\n\r\na body");
        let mut raw = Raw::tls(&gateway, "app.test").await;
        for round in 0..3 {
            raw.write(&request).await;
            let Some((head, _)) = raw.reply().await else {
                panic!("{path}: request {round} found the connection closed without a warning")
            };
            // RFC 9112, section 9.6: a server that closes says so in its last answer.
            if head.field("connection") == Some("close") {
                break;
            }
        }
    }
}
