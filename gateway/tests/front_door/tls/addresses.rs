//! Several listeners, and IPv6.

use std::net::{Ipv6Addr, TcpListener};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::{Origin, echoed_once};
use crate::harness::tls_client::Tls;
use crate::harness::{config, one_site, skipped};

#[tokio::test]
async fn every_listener_serves_the_same() {
    let origin = Origin::echo().await;
    let toml = config("", &one_site(origin.addr(), ""))
        .replace("https = [\"127.0.0.1:0\"]", "https = [\"127.0.0.1:0\", \"127.0.0.2:0\"]");
    let gateway = Gateway::start(&toml).await;
    assert_eq!(gateway.all_https().len(), 2);
    let tls = Tls::trusting(&gateway.local_ca());
    for &addr in gateway.all_https() {
        let mut http = Http::connect(&tls, addr, "app.test").await;
        assert_eq!(http.get("/").await.status, 200, "{addr}");
    }
}

#[tokio::test]
async fn a_client_over_ipv6_is_known_by_its_address() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return skipped("a client over IPv6", "this machine has no ::1");
    }
    let origin = Origin::echo().await;
    let site = one_site(origin.addr(), "allow = [\"::1\"]");
    let toml = config("", &site).replace("https = [\"127.0.0.1:0\"]", "https = [\"[::1]:0\"]");
    let gateway = Gateway::start(&toml).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let seen = http.get("/six").await.json();
        assert_eq!(echoed_once(&seen, "x-real-ip").as_deref(), Some("::1"));
        assert_eq!(echoed_once(&seen, "x-forwarded-for").as_deref(), Some("::1"));
    }
    let record = gateway.record_of("/six").await;
    assert_eq!(record["client"], "::1", "{record}");
}
