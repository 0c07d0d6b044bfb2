//! A service that is being worked on: 503 with a time to come back for everybody but a few.
//!
//! What nginx did: nothing; whoever worked on the service took the site out and reloaded.

use hyper::StatusCode;

use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::Origin;
use crate::harness::{config, one_site};

#[tokio::test]
async fn everybody_is_told_to_come_back() {
    let origin = Origin::text("served").await;
    let site = one_site(origin.addr(), "headers = \"app\"\nmaintenance = true");
    let gateway = Gateway::start(&config("", &site)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let reply = http.request(get_with("/", &[("accept", "text/html")])).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reply.header("retry-after").as_deref(), Some("300"));
        assert_eq!(reply.header("cache-control").as_deref(), Some("no-store"));
        assert!(reply.header("strict-transport-security").is_some(), "{:?}", reply.headers);
        let id = reply.header("x-request-id").expect("no X-Request-Id");
        let text = reply.text();
        assert!(text.contains("being worked on") && text.contains(&id), "{text}");
        let problem = http.request(get_with("/", &[("accept", "application/json")])).await;
        assert_eq!(problem.json()["status"], 503);
    }
    assert_eq!(origin.seen(), Vec::<String>::new(), "a request reached the origin");
    let record = gateway.record_of("/").await;
    assert_eq!(record["status"], 503);
    assert_eq!(record["error"], "the service is being worked on");
}

#[tokio::test]
async fn whoever_watches_the_gateway_sees_it_well() {
    let gateway = Gateway::start(&config("maintenance = true", &one_site("127.0.0.1:1", ""))).await;
    let mut plain = Http::plain(gateway.http(), "app.test").await;
    assert_eq!(plain.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(plain.get("/").await.status, StatusCode::PERMANENT_REDIRECT);
    let mut admin = Http::plain(gateway.admin(), "admin").await;
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(admin.get(path).await.status, StatusCode::OK, "{path}");
    }
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(
        http.get("/healthz").await.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "the site's own"
    );
}

#[tokio::test]
async fn those_on_the_list_come_in_by_their_real_address() {
    let origin = Origin::text("served").await;
    let keys = "maintenance = { allow = [\"203.0.113.0/24\"], retry_after = \"1500ms\" }";
    let server = "trusted_proxies = [\"127.0.0.2/32\"]";
    let gateway = Gateway::start(&config(server, &one_site(origin.addr(), keys))).await;
    let claim = || get_with("/", &[("x-forwarded-for", "203.0.113.9")]);
    let mut proxy = Http::http1_from(&gateway, "app.test", "127.0.0.2").await;
    assert_eq!(proxy.request(claim()).await.text(), "served");
    let mut stranger = Http::http1_from(&gateway, "app.test", "127.0.0.3").await;
    let reply = stranger.request(claim()).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("retry-after").as_deref(), Some("2"), "rounded up to seconds");
}

#[tokio::test]
async fn the_nearest_level_decides_and_brings_its_own_page() {
    let dir = folder();
    std::fs::write(dir.path().join("work.html"), "Back at noon. {{request_id}}").unwrap();
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\n\
        maintenance = { page = \"work.html\", retry_after = \"2h\" }\nroutes = [\n\
        { path = \"/status\", respond = { status = 200, body = \"we know\" }, maintenance = false },\n\
        { path = \"/shop/*\", respond = { status = 200 }, maintenance = { retry_after = \"1m\" } },\n\
        { path = \"/*\", respond = { status = 200 } },\n]\n\
        [site.\"other.test\"]\ntls = \"self-signed\"\n\
        routes = [{ path = \"/*\", respond = { status = 200, body = \"open\" } }]\n";
    let gateway = Gateway::start_in(dir, &config("", toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/status").await.text(), "we know");
    let shop = http.get("/shop/x").await;
    assert_eq!((shop.status.as_u16(), shop.header("retry-after").as_deref()), (503, Some("60")));
    assert!(shop.text().starts_with("503 Service Unavailable"), "{}", shop.text());
    let page = http.get("/").await;
    let id = page.header("x-request-id").unwrap();
    assert_eq!((page.status.as_u16(), page.text()), (503, format!("Back at noon. {id}")));
    assert_eq!(page.header("retry-after").as_deref(), Some("7200"));
    let mut other = Http::http2(&gateway, "other.test").await;
    assert_eq!(other.get("/").await.text(), "open", "another site is not being worked on");
}
