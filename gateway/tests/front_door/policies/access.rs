//! `allow` and `deny`, by the client's real address.
//!
//! What nginx did: `allow` and `deny` on `/metrics`, which behind a CDN judged the CDN's address.

use hyper::StatusCode;

use crate::harness::config;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::Origin;

async fn status(gateway: &Gateway, source: &str, path: &str) -> StatusCode {
    Http::http1_from(gateway, "app.test", source).await.get(path).await.status
}

#[tokio::test]
async fn only_the_allowed_come_in_and_the_denied_never() {
    let origin = Origin::text("ok").await;
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
         {{ path = \"/metrics\", to = \"{0}\", allow = [\"127.0.0.2\", \"127.1.0.0/16\"] }},\n\
         {{ path = \"/public\", to = \"{0}\", deny = [\"127.0.0.3\"] }},\n\
         {{ path = \"/both\", to = \"{0}\", allow = [\"127.0.0.0/24\"], deny = [\"127.0.0.3\"] }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    let expected = [
        ("/metrics", "127.0.0.2", 200),
        ("/metrics", "127.1.2.3", 200),
        ("/metrics", "127.0.0.1", 403),
        ("/public", "127.0.0.1", 200),
        ("/public", "127.0.0.3", 403),
        ("/both", "127.0.0.1", 200),
        ("/both", "127.0.0.3", 403),
        ("/both", "127.1.0.1", 403),
    ];
    for (path, source, answer) in expected {
        assert_eq!(status(&gateway, source, path).await, answer, "{path} from {source}");
    }
    assert_eq!(origin.seen().len(), 4, "a refused request reached the origin");
}

#[tokio::test]
async fn every_level_must_agree() {
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\ndeny = [\"127.0.0.9\"]\nroutes = [\n\
        { path = \"/*\", respond = { status = 200, body = \"in\" }, allow = [\"127.0.0.0/8\"] },\n]\n";
    let gateway = Gateway::start(&config("", toml)).await;
    assert_eq!(status(&gateway, "127.0.0.1", "/").await, StatusCode::OK);
    assert_eq!(status(&gateway, "127.0.0.9", "/").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_real_client_counts_behind_a_trusted_proxy_and_nobody_s_word_otherwise() {
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
        { path = \"/*\", respond = { status = 200, body = \"in\" }, allow = [\"10.0.0.0/8\"] },\n]\n";
    let server = "trusted_proxies = [\"127.0.0.2/32\"]";
    let gateway = Gateway::start(&config(server, toml)).await;
    let claim = get_with("/", &[("x-forwarded-for", "10.1.2.3")]);
    let mut proxy = Http::http1_from(&gateway, "app.test", "127.0.0.2").await;
    assert_eq!(proxy.request(claim).await.status, StatusCode::OK);
    let mut stranger = Http::http1_from(&gateway, "app.test", "127.0.0.3").await;
    for header in
        ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "forwarded", "true-client-ip"]
    {
        let claim = get_with("/", &[(header, "10.1.2.3")]);
        assert_eq!(stranger.request(claim).await.status, StatusCode::FORBIDDEN, "{header}");
    }
}
