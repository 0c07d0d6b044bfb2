//! What clients are told when a request fails: a page for browsers, JSON for programs, plain text for
//! the rest, and pages of a site's own.
//!
//! What nginx did: `error_page` took the security headers away where its location had an `add_header`,
//! and no page said which request it was about.

use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};
use serde_json::json;

use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::{Origin, status};
use crate::harness::replies::{Reply, empty, full};
use crate::harness::{config, one_site};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A site without an origin that could be reached, but for one path that answers.
fn unreachable(keys: &str) -> String {
    format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\n{keys}\nroutes = [\n\
         {{ path = \"/secret/*\", respond = {{ status = 200 }}, allow = [\"10.0.0.0/8\"] }},\n\
         {{ path = \"/api/*\", to = \"127.0.0.1:1\", headers = \"api\" }},\n\
         {{ path = \"/pages/*\", to = \"127.0.0.1:1\" }},\n]\n"
    )
}

async fn ask(http: &mut Http, path: &str, accept: &str) -> Reply {
    http.request(get_with(path, &[("accept", accept)])).await
}

fn kind(reply: &Reply) -> String {
    reply.header("content-type").unwrap_or_default()
}

/// The id in `X-Request-Id`, which must stand in the body too.
fn request_id(reply: &Reply) -> String {
    let id = reply.header("x-request-id").expect("no X-Request-Id");
    assert!(reply.text().contains(&id), "no {id} in {}", reply.text());
    id
}

#[tokio::test]
async fn browsers_get_a_page_programs_json_and_everyone_else_text() {
    let gateway = Gateway::start(&config("", &unreachable("headers = \"app\""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (path, expected) in [("/secret/x", 403), ("/pages/x", 502), ("/elsewhere", 404)] {
            let page = ask(&mut http, path, BROWSER).await;
            assert_eq!(
                (page.status.as_u16(), kind(&page).as_str()),
                (expected, "text/html; charset=utf-8")
            );
            assert!(page.text().starts_with("<!doctype html>"), "{}", page.text());
            assert!(page.text().contains(&format!("<title>{expected} ")), "{}", page.text());
            let id = request_id(&page);

            let problem = ask(&mut http, path, "application/json, text/plain, */*").await;
            assert_eq!(problem.status, expected);
            assert_eq!(kind(&problem), "application/problem+json");
            let told = problem.json();
            assert_eq!(told["type"], "about:blank");
            assert_eq!(told["status"], expected);
            assert_eq!(told["title"], page.status.canonical_reason().unwrap());
            assert_eq!(told["request_id"], json!(request_id(&problem)));
            assert_ne!(request_id(&problem), id, "two requests have one id");

            for accept in ["*/*", "image/*"] {
                let text = ask(&mut http, path, accept).await;
                assert_eq!(
                    (text.status.as_u16(), kind(&text).as_str()),
                    (expected, "text/plain; charset=utf-8")
                );
                let reason = text.status.canonical_reason().unwrap();
                let words = format!("{expected} {reason}\nRequest {}\n", request_id(&text));
                assert_eq!(text.text(), words);
            }
            for reply in [page, problem] {
                assert_eq!(reply.header("cache-control").as_deref(), Some("no-store"));
                assert_eq!(reply.header("x-content-type-options").as_deref(), Some("nosniff"));
                assert!(reply.header("strict-transport-security").is_some(), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn the_page_works_under_the_strictest_policy_and_lets_nothing_in() {
    for keys in ["headers = \"app\"", "headers = \"off\"", "headers = \"api\"\nerrors = \"auto\""] {
        let gateway = Gateway::start(&config("", &unreachable(keys))).await;
        let mut http = Http::http2(&gateway, "app.test").await;
        let page = ask(&mut http, "/pages/x", BROWSER).await;
        let policy = page.header("content-security-policy").expect("no Content-Security-Policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        let text = page.text();
        for word in ["<script", "http://", "https://", "src=", "href=", "style=\""] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    // A policy that the site itself sets is the site's word.
    let keys = "headers = { set = { Content-Security-Policy = \"default-src 'self'\" } }";
    let gateway = Gateway::start(&config("", &unreachable(keys))).await;
    let page = ask(&mut Http::http1(&gateway, "app.test").await, "/pages/x", BROWSER).await;
    assert_eq!(page.header("content-security-policy").as_deref(), Some("default-src 'self'"));
}

#[tokio::test]
async fn a_route_that_speaks_json_always_does() {
    let gateway = Gateway::start(&config("", &unreachable(""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for accept in [BROWSER, "*/*", "text/plain"] {
            let reply = ask(&mut http, "/api/x", accept).await;
            assert_eq!(
                (reply.status, kind(&reply).as_str()),
                (StatusCode::BAD_GATEWAY, "application/problem+json")
            );
            assert_eq!(reply.json()["request_id"], json!(request_id(&reply)));
        }
    }
    let gateway = Gateway::start(&config("", &unreachable("errors = \"json\""))).await;
    let reply = ask(&mut Http::http1(&gateway, "app.test").await, "/nowhere", BROWSER).await;
    assert_eq!(
        (reply.status, kind(&reply).as_str()),
        (StatusCode::NOT_FOUND, "application/problem+json")
    );
}

#[tokio::test]
async fn a_head_request_gets_the_length_and_no_body() {
    let gateway = Gateway::start(&config("", &unreachable(""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let request = Request::head("/nowhere").header("accept", BROWSER).body(empty()).unwrap();
        let reply = http.request(request).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        assert!(reply.body.is_empty());
        let length: usize = reply.header("content-length").expect("no length").parse().unwrap();
        assert!(length > 500, "{length}");
    }
}

const PAGES: &str = "errors = { 404 = \"errors/404.html\", 5xx = \"errors/50x.html\", \
                     429 = \"errors/429.json\" }";

fn with_pages(site: &str) -> (tempfile::TempDir, String) {
    let dir = folder();
    let errors = dir.path().join("errors");
    std::fs::create_dir(&errors).unwrap();
    let write = |name: &str, text: &str| std::fs::write(errors.join(name), text).unwrap();
    write("404.html", "<h1>Lost?</h1><p>{{request_id}}</p>");
    write("50x.html", "<h1>Sorry: {{ status }}</h1><p>{{request_id}}</p><b>{{unknown}}</b>");
    write("429.json", "{ \"slow\": true, \"id\": \"{{request_id}}\" }");
    (dir, config("", site))
}

#[tokio::test]
async fn a_site_s_own_pages_carry_the_request_id_and_stand_where_no_route_does() {
    let (dir, toml) = with_pages(&unreachable(PAGES));
    let gateway = Gateway::start_in(dir, &toml).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for accept in [BROWSER, "*/*"] {
            let lost = ask(&mut http, "/elsewhere", accept).await;
            assert_eq!(
                (lost.status, kind(&lost).as_str()),
                (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
            );
            assert_eq!(lost.text(), format!("<h1>Lost?</h1><p>{}</p>", request_id(&lost)));
            let sorry = ask(&mut http, "/pages/x", accept).await;
            assert_eq!(sorry.status, StatusCode::BAD_GATEWAY);
            let id = request_id(&sorry);
            assert_eq!(
                sorry.text(),
                format!("<h1>Sorry: 502</h1><p>{id}</p><b>{{{{unknown}}}}</b>")
            );
        }
        // No page of the site's for it.
        let denied = ask(&mut http, "/secret/x", BROWSER).await;
        assert!(denied.text().contains("Access to this is not allowed"), "{}", denied.text());
        // Who asks for JSON is not sent HTML.
        let problem = ask(&mut http, "/elsewhere", "application/json").await;
        assert_eq!(kind(&problem), "application/problem+json");
    }
}

#[tokio::test]
async fn a_route_s_page_stands_before_its_site_s_and_a_page_of_json_is_for_programs() {
    let (dir, toml) = with_pages(&format!(
        "[limit.one]\nrate = \"1/h\"\nburst = 1\n\n\
         [site.\"app.test\"]\ntls = \"self-signed\"\n{PAGES}\nroutes = [\n\
         {{ path = \"/own\", to = \"127.0.0.1:1\", errors = {{ 502 = \"errors/404.html\" }} }},\n\
         {{ path = \"/one\", respond = {{ status = 200 }}, limit = \"one\" }},\n]\n"
    ));
    let gateway = Gateway::start_in(dir, &toml).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert!(http.get("/own").await.text().starts_with("<h1>Lost?"));
    assert_eq!(http.get("/one").await.status, StatusCode::OK);
    let slow = http.get("/one").await;
    assert_eq!(
        (slow.status, kind(&slow).as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "application/json")
    );
    assert_eq!(slow.json(), json!({ "slow": true, "id": request_id(&slow) }));
    assert!(slow.header("retry-after").is_some(), "a page takes no header away");
    let page = ask(&mut http, "/one", BROWSER).await;
    assert_eq!(kind(&page), "text/html; charset=utf-8");
}

/// An origin with errors of its own.
async fn failing() -> Origin {
    Origin::http(async |request| match request.uri().path() {
        "/missing" => {
            let mut response = status(StatusCode::NOT_FOUND, "the application's own 404");
            let headers = response.headers_mut();
            headers.insert("set-cookie", HeaderValue::from_static("a=1"));
            headers.insert("content-language", HeaderValue::from_static("cs"));
            headers.insert("etag", HeaderValue::from_static("\"v1\""));
            let policy = HeaderValue::from_static("default-src 'none'");
            headers.insert("content-security-policy", policy);
            response
        }
        "/login" => {
            let mut response = status(StatusCode::UNAUTHORIZED, "who are you?");
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
            response
        }
        "/broken" => status(StatusCode::INTERNAL_SERVER_ERROR, "Traceback (most recent call last)"),
        _ => Response::new(full("fine")),
    })
    .await
}

#[tokio::test]
async fn an_upstream_s_own_errors_pass_unless_they_are_to_be_replaced() {
    let origin = failing().await;
    let (dir, toml) = with_pages(&one_site(origin.addr(), PAGES));
    let gateway = Gateway::start_in(dir, &toml).await;
    for mut http in Http::both(&gateway, "app.test").await {
        assert_eq!(http.get("/missing").await.text(), "the application's own 404");
        assert_eq!(http.get("/broken").await.text(), "Traceback (most recent call last)");
    }

    let keys = PAGES.replace(" }", ", 401 = \"errors/404.html\", intercept = true }");
    let (dir, toml) = with_pages(&one_site(origin.addr(), &keys));
    let gateway = Gateway::start_in(dir, &toml).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let lost = http.get("/missing").await;
        assert_eq!(
            (lost.status, kind(&lost).as_str()),
            (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
        );
        assert_eq!(lost.text(), format!("<h1>Lost?</h1><p>{}</p>", request_id(&lost)));
        assert_eq!(lost.header("set-cookie").as_deref(), Some("a=1"), "this is not about the body");
        for name in ["etag", "content-language", "content-security-policy"] {
            assert_eq!(lost.header(name), None, "{name} was about another body");
        }
        assert!(!http.get("/broken").await.text().contains("Traceback"));
        let login = http.get("/login").await;
        assert_eq!(login.status, StatusCode::UNAUTHORIZED);
        assert_eq!(login.header("www-authenticate").as_deref(), Some("Basic"));
        assert_eq!(http.get("/").await.text(), "fine", "the connection goes on");
        let problem = ask(&mut http, "/missing", "application/json").await;
        assert_eq!(problem.text(), "the application's own 404", "no page fits this client");
    }
    let record = gateway.record_of("/broken").await;
    assert_eq!((&record["status"], &record["upstream_status"]), (&json!(500), &json!(500)));
}

#[tokio::test]
async fn a_page_that_cannot_be_read_stops_the_start_and_is_named() {
    let (dir, toml) = with_pages(&unreachable(
        "errors = { 404 = \"errors/none.html\", 5xx = \"errors/large.html\" }",
    ));
    std::fs::write(dir.path().join("errors/large.html"), vec![b'x'; 300 * 1024]).unwrap();
    let failed = Gateway::fail_in(dir, &toml).await;
    assert_eq!(failed.status.code(), Some(1));
    for named in ["errors/none.html", "errors/large.html"] {
        assert!(failed.stderr.contains(named), "{named} in {}", failed.stderr);
    }
}
