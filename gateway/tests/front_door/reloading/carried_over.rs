//! What is the same in both configurations goes on as if nothing had happened.

use hyper::StatusCode;

use super::reloaded;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, config, one_site};

const FEW: &str = "[limit.few]\nrate = \"1/h\"\nburst = 3\n\n";

#[tokio::test]
async fn a_limit_remembers_who_has_used_it_up() {
    let site = one_site("127.0.0.1:1", "limit = \"few\"\nheaders = \"off\"");
    let other = site.replace("\"off\"", "\"api\"");
    let gateway = Gateway::start(&config("", &format!("{FEW}{site}"))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for _ in 0..3 {
        assert_ne!(http.get("/").await.status, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(http.get("/").await.status, StatusCode::TOO_MANY_REQUESTS);
    reloaded(&gateway, &config("", &format!("{FEW}{other}"))).await;
    assert_eq!(http.get("/").await.status, StatusCode::TOO_MANY_REQUESTS);
    let more = FEW.replace("3", "4");
    let text = reloaded(&gateway, &config("", &format!("{more}{other}"))).await;
    assert!(text.contains("limits changed: few\n"), "{text}");
    assert_ne!(http.get("/").await.status, StatusCode::TOO_MANY_REQUESTS, "it is another limit");
}

#[tokio::test]
async fn connections_to_upstreams_are_used_on() {
    let origin = Origin::text("ok").await;
    let site = one_site(origin.addr(), "");
    let named =
        format!("[upstream.app]\nservers = [\"{}\"]\n{}", origin.addr(), one_site("app", ""));
    for first in [site, named] {
        let before = origin.connections();
        let gateway = Gateway::start(&config("workers = 1", &first)).await;
        let mut http = Http::http1(&gateway, "app.test").await;
        for _ in 0..5 {
            assert_eq!(http.get("/").await.text(), "ok");
            let other = first.clone() + &answering_site("other.test");
            reloaded(&gateway, &config("workers = 1", &other)).await;
            assert_eq!(http.get("/").await.text(), "ok");
            reloaded(&gateway, &config("workers = 1", &first)).await;
        }
        assert_eq!(origin.connections() - before, 1);
    }
}

#[tokio::test]
async fn certificates_of_the_local_ca_and_the_keys_of_tickets_stay() {
    let gateway = Gateway::start(&config("", &answering_site("app.test"))).await;
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]);
    let mut first = Http::connect(&tls, gateway.https(), "app.test").await;
    // The ticket comes along with the answer.
    first.get("/").await;
    let certificate = first.facts().certificate.clone();
    let sites = answering_site("app.test") + &answering_site("other.test");
    reloaded(&gateway, &config("keepalive = \"7s\"", &sites)).await;
    let again = Http::connect(&tls, gateway.https(), "app.test").await;
    assert!(again.facts().resumed, "the ticket was of no use after the reload");
    let anew = Tls::trusting(&gateway.local_ca()).connect(gateway.https(), "app.test").await;
    assert_eq!(anew.facts.certificate, certificate, "another certificate for the same hosts");
}

#[tokio::test]
async fn metrics_go_on_counting() {
    let gateway = Gateway::start(&config("", &answering_site("app.test"))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let metrics =
        async || Http::plain(gateway.admin(), "localhost").await.get("/metrics").await.text();
    let started = good_since(&metrics().await);
    for count in 1..=3 {
        http.get("/").await;
        gateway.record_of("/").await;
        reloaded(&gateway, &config("", &answering_site("app.test"))).await;
        let text = metrics().await;
        let line = format!(
            "gateway_requests_total{{method=\"GET\",route=\"/*\",site=\"app.test\",status=\"2xx\"}} {count}\n"
        );
        assert!(text.contains(&line), "{text}");
        assert!(text.contains(&format!("{{outcome=\"reloaded\"}} {count}\n")), "{text}");
        assert!(text.contains("{outcome=\"refused\"} 0\n"), "{text}");
        assert!(good_since(&text) >= started);
    }
}

fn good_since(metrics: &str) -> f64 {
    let name = "gateway_config_last_good_timestamp_seconds ";
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.expect("the metric is there").parse().unwrap()
}
