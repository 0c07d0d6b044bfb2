//! Redirects of sites and routes.
//!
//! What nginx did: a `server` of its own for each domain that only sends people on.

use hyper::StatusCode;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, post};
use crate::harness::replies::full;
use crate::harness::{answering_site, config};

#[tokio::test]
async fn a_site_s_redirect_keeps_path_and_query() {
    let sites = "[site.\"old.test\"]\ntls = \"self-signed\"\naliases = [\"older.test\"]\n\
                 redirect = \"https://new.test\"\n";
    let gateway = Gateway::start(&config("", sites)).await;
    for host in ["old.test", "older.test"] {
        for mut http in Http::both(&gateway, host).await {
            for tail in ["/", "/a/b?x=1&y=%20", "/%C3%A9?", "//evil.test/x", "/a/../b"] {
                let reply = http.get(tail).await;
                assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "{tail}");
                let location = reply.header("location").unwrap();
                assert_eq!(location, format!("https://new.test{tail}"));
            }
            let reply = http.request(post("/form", full("a=b"))).await;
            assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "POST stays POST with 308");
        }
    }
}

#[tokio::test]
async fn the_plain_listener_sends_a_redirecting_site_s_client_to_its_own_https_first() {
    let sites = "[site.\"old.test\"]\ntls = \"self-signed\"\nredirect = \"https://new.test\"\n";
    let gateway = Gateway::start(&config("", sites)).await;
    let mut http = Http::plain(gateway.http(), "old.test").await;
    let reply = http.get("/a?b").await;
    assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT);
    let location = reply.header("location").unwrap();
    let port = gateway.https().port();
    let expected = ["https://old.test/a?b".into(), format!("https://old.test:{port}/a?b")];
    assert!(expected.contains(&location), "sent to {location}");
}

#[tokio::test]
async fn a_route_s_redirect_stands_beside_other_routes() {
    let sites = "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
        { path = \"/old\", redirect = \"/new\" },\n\
        { path = \"/docs/*\", redirect = \"https://docs.test/start\" },\n\
        { path = \"/*\", respond = { status = 200, body = \"here\" } },\n]\n";
    let gateway = Gateway::start(&config("", sites)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let reply = http.get("/old").await;
        assert!(reply.status.is_redirection(), "{}", reply.status);
        let location = reply.header("location").unwrap();
        assert!(location.starts_with("/new") || location.ends_with("app.test/new"), "{location}");
        let reply = http.get("/docs/x").await;
        assert!(reply.status.is_redirection(), "{}", reply.status);
        let location = reply.header("location").unwrap();
        assert!(location.starts_with("https://docs.test/start"), "{location}");
        assert_eq!(http.get("/older").await.text(), "here");
    }
}

#[tokio::test]
async fn a_redirect_is_not_served_to_another_site_s_host() {
    let sites = format!(
        "{}\n[site.\"old.test\"]\ntls = \"self-signed\"\nredirect = \"https://new.test\"\n",
        answering_site("app.test")
    );
    let gateway = Gateway::start(&config("", &sites)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let reply = http.get("/").await;
    assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "app.test"));
}
