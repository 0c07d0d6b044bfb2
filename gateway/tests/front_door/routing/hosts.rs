//! Hosts: exact before wildcard, aliases, and paths that are one site's only.
//!
//! What nginx did: `server_name` with aliases.

use hyper::StatusCode;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::{answering_site, answering_site_with, config};

#[tokio::test]
async fn the_exact_host_comes_before_the_wildcard_whatever_the_order() {
    let wildcard = answering_site("*.app.test");
    let exact = answering_site("one.app.test");
    for sites in [[&wildcard, &exact], [&exact, &wildcard]] {
        let sites = sites.map(String::as_str).join("\n");
        let gateway = Gateway::start(&config("", &sites)).await;
        for (host, site) in [("one.app.test", "one.app.test"), ("two.app.test", "*.app.test")] {
            for mut http in Http::both(&gateway, host).await {
                assert_eq!(http.get("/").await.text(), site, "{host} over {:?}", http.version());
            }
        }
    }
}

#[tokio::test]
async fn an_alias_is_the_same_site_and_is_logged_as_it() {
    let site = answering_site_with(
        "app.test",
        "tls = \"self-signed\"\naliases = [\"alias.test\", \"*.more.test\"]",
    );
    let gateway = Gateway::start(&config("", &site)).await;
    for host in ["alias.test", "any.more.test"] {
        let mut http = Http::http2(&gateway, host).await;
        let path = format!("/from/{host}");
        assert_eq!(http.get(&path).await.text(), "app.test");
        let record = gateway.record_of(&path).await;
        assert_eq!((&record["site"], &record["host"]), (&"app.test".into(), &host.into()));
    }
}

#[tokio::test]
async fn a_path_of_another_site_is_not_found() {
    let site = |name: &str, path: &str| {
        format!(
            "[site.\"{name}\"]\ntls = \"self-signed\"\n\
             routes = [ {{ path = \"{path}\", respond = {{ status = 200, body = \"{name}\" }} }} ]\n"
        )
    };
    let sites = [site("one.test", "/one"), site("two.test", "/two")].join("\n");
    let gateway = Gateway::start(&config("", &sites)).await;
    for mut http in Http::both(&gateway, "one.test").await {
        assert_eq!(http.get("/one").await.text(), "one.test");
        assert_eq!(http.get("/two").await.status, StatusCode::NOT_FOUND);
        assert_eq!(http.get("/").await.status, StatusCode::NOT_FOUND);
    }
}
