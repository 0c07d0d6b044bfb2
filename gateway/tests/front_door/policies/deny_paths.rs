//! Paths that no application should ever have served, in every spelling.
//!
//! What nginx did: `deny all` for dotfiles, `*.env`, `*.log`, `*.sql` and `*.bak`, which `%2e` went
//! around.

use hyper::StatusCode;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::{config, one_site};

const DENIED: [&str; 20] = [
    "/.git/config",
    "/.env",
    "/.env?x=1",
    "/a/.htaccess",
    "/.hidden/",
    "/%2egit/config",
    "/%2Egit/config",
    "/%2e%67it/config",
    "//.env",
    "/a//.env",
    "/a/..%2f.env",
    "/a/../.env",
    "/a/%2e%2e/.env",
    "/./.env",
    "/prod.env",
    "/backup.SQL",
    "/backup.s%51l",
    "/old/site.bak",
    "/var/app.log",
    "/.well-known/../.git/config",
];

const ALLOWED: [&str; 8] = [
    "/",
    "/.well-known/x",
    "/.well-known/security.txt",
    "/env",
    "/a.env.html",
    "/sqlite/page",
    "/catalog",
    "/a?file=.env",
];

#[tokio::test]
async fn denied_paths_never_reach_the_origin_and_the_others_do() {
    let origin = Origin::text("served").await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for path in DENIED {
        // Sent as it is: a client could tidy it up.
        let mut raw = Raw::tls(&gateway, "app.test").await;
        raw.write(format!("GET {path} HTTP/1.1\r\nHost: app.test\r\n\r\n")).await;
        let head = raw.head().await;
        let status = head.as_ref().map(|head| head.status);
        assert!(matches!(status, Some(400 | 403 | 404)), "{path}: {head:?}");
    }
    assert_eq!(origin.seen(), Vec::<String>::new(), "a denied path reached the origin");

    let mut http = Http::http2(&gateway, "app.test").await;
    for path in DENIED {
        let status = http.get(path).await.status;
        assert!(matches!(status.as_u16(), 400 | 403 | 404), "{path} over HTTP/2: {status}");
    }
    assert_eq!(origin.seen(), Vec::<String>::new(), "a denied path reached the origin");
    for path in ALLOWED {
        assert_eq!(http.get(path).await.text(), "served", "{path}");
    }
    assert_eq!(origin.seen().len(), ALLOWED.len());
}

#[tokio::test]
async fn fixed_answers_and_redirects_are_no_way_around() {
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
        { path = \"/r/*\", redirect = \"https://new.test\" },\n\
        { path = \"/*\", respond = { status = 200, body = \"served\" } },\n]\n";
    let gateway = Gateway::start(&config("", toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for path in ["/r/.env", "/.env"] {
        assert_eq!(http.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_site_may_switch_it_off() {
    let origin = Origin::text("served").await;
    let site = one_site(origin.addr(), "deny_paths = false");
    let gateway = Gateway::start(&config("", &site)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for path in ["/.env", "/backup.sql"] {
        assert_eq!(http.get(path).await.text(), "served", "{path}");
    }
}
