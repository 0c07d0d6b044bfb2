//! The signals themselves.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use nix::sys::signal::Signal;

use super::draining::{Held, closed_to_newcomers};
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get};
use crate::harness::{answering_site, config, eventually, one_site};

#[tokio::test]
async fn both_signals_stop_it_with_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut gateway = Gateway::start(&config("", &answering_site("app.test"))).await;
        Http::http2(&gateway, "app.test").await.get("/").await;
        gateway.signal(signal);
        let status = gateway.exited().await;
        assert_eq!(status.code(), Some(0), "{signal}: {status}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut held = Held::start().await;
    let toml = config("drain = \"10m\"", &one_site(held.origin.addr(), ""));
    let mut gateway = Gateway::start(&toml).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let request = tokio::spawn(async move { http.try_request(get("/")).await });
    held.arrived().await;
    gateway.signal(Signal::SIGTERM);
    closed_to_newcomers(&gateway).await;
    assert!(gateway.is_running());
    let begin = Instant::now();
    gateway.signal(Signal::SIGTERM);
    gateway.exited().await;
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
    drop(request.await);
}

#[tokio::test]
async fn it_is_alive_but_not_ready_while_it_drains() {
    let mut held = Held::start().await;
    let toml = config("drain = \"60s\"", &one_site(held.origin.addr(), ""));
    let mut gateway = Gateway::start(&toml).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let request = tokio::spawn(async move { http.get("/").await });
    held.arrived().await;
    gateway.signal(Signal::SIGTERM);
    let readiness = async |path: &str| {
        let mut admin = Http::plain(gateway.admin(), "localhost").await;
        admin.get(path).await.status
    };
    eventually("readyz to say that it is stopping", async || {
        (readiness("/readyz").await == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    assert_eq!(readiness("/livez").await, StatusCode::OK);
    let metrics = Http::plain(gateway.admin(), "localhost").await.get("/metrics").await;
    assert!(metrics.text().contains("\ngateway_ready 0\n"), "{}", metrics.text());
    held.release.add_permits(1);
    assert_eq!(request.await.unwrap().status, StatusCode::OK);
    assert!(gateway.exited().await.success());
}
