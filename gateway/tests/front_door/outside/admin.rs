//! `/livez` and `/readyz`, and that nothing of them is public.

use hyper::StatusCode;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::{answering_site, config};

#[tokio::test]
async fn a_gateway_that_serves_is_alive_and_ready() {
    let gateway = Gateway::start(&config("", &answering_site("app.test"))).await;
    let mut admin = Http::plain(gateway.admin(), "localhost").await;
    for path in ["/livez", "/readyz"] {
        let reply = admin.get(path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    }
    let reply = admin.get("/metrics").await;
    assert_eq!(reply.status, StatusCode::OK);
    let kind = reply.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/plain"), "Content-Type of the metrics: {kind}");
    assert!(reply.text().contains("\ngateway_ready 1\n"), "{}", reply.text());
    assert_eq!(admin.get("/unknown").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_public_listeners_know_nothing_of_it() {
    let gateway = Gateway::start(&config("", &answering_site("app.test"))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for path in ["/livez", "/readyz", "/metrics"] {
            assert_eq!(http.get(path).await.text(), "app.test", "{path} is the site's");
        }
    }
}

#[tokio::test]
async fn the_admin_listener_can_be_switched_off() {
    let toml = config("", &answering_site("app.test"))
        .replace("admin = \"127.0.0.1:0\"", "admin = \"off\"");
    let gateway = Gateway::start(&toml).await;
    assert!(!gateway.events().contains("\"admin\""), "{}", gateway.events());
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::OK);
}
