//! A configuration with which anything is wrong changes nothing.

use std::net::TcpListener;

use hyper::StatusCode;
use nix::sys::signal::Signal;

use super::{Said, ask, command, event, reload, rewrite};
use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::{answering_site, answering_site_with, config};

const KEPT: &str = "The configuration was not reloaded; the one before is served on.\n";

fn good() -> String {
    config("", &answering_site("app.test"))
}

/// What `check-config` says about the file as it is.
async fn checked(gateway: &Gateway) -> String {
    let file = gateway.dir().join("gateway.toml");
    let said = command(gateway, &["check-config", file.to_str().unwrap()]).await;
    assert_eq!(said.code, Some(1), "{}", said.stdout);
    said.stderr
}

async fn serves_on(gateway: &Gateway) {
    let mut http = Http::http2(gateway, "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test");
}

async fn refused(gateway: &Gateway, config: &str) -> Said {
    let said = reload(gateway, config).await;
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{}", said.stderr);
    assert!(said.stderr.ends_with(KEPT), "{}", said.stderr);
    serves_on(gateway).await;
    said
}

#[tokio::test]
async fn a_broken_file_is_told_as_check_config_tells_it() {
    let gateway = Gateway::start(&good()).await;
    let broken = good().replace("tls =", "tsl =") + "[limit.x]\nrate = \"often\"\n";
    let said = refused(&gateway, &broken).await;
    let checked = checked(&gateway).await;
    assert!(checked.contains("did you mean `tls`?") && checked.contains("bad-rate"), "{checked}");
    assert_eq!(said.stderr, checked + KEPT);
    let told = event(&gateway, "reload").await;
    assert_eq!(told["message"].as_str().unwrap().to_owned() + "\n", said.stderr);
    assert_eq!(told["level"], "error");
}

#[tokio::test]
async fn a_broken_file_at_a_signal_is_told_in_the_journal() {
    let gateway = Gateway::start(&good()).await;
    rewrite(&gateway, "this is no configuration\n");
    gateway.signal(Signal::SIGHUP);
    let told = event(&gateway, "reload").await;
    let checked = checked(&gateway).await;
    assert_eq!(told["message"].as_str().unwrap().to_owned() + "\n", checked + KEPT);
    serves_on(&gateway).await;
    let metrics = Http::plain(gateway.admin(), "localhost").await.get("/metrics").await.text();
    assert!(metrics.contains("gateway_config_reloads_total{outcome=\"refused\"} 1\n"), "{metrics}");
    rewrite(&gateway, &good());
    gateway.signal(Signal::SIGHUP);
    event(&gateway, "reloaded").await;
}

#[tokio::test]
async fn a_file_that_is_gone_is_no_reason_to_stop() {
    let gateway = Gateway::start(&good()).await;
    let file = gateway.dir().join("gateway.toml");
    std::fs::remove_file(&file).unwrap();
    let said = command(&gateway, &["reload", "--admin", &gateway.admin().to_string()]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("No such file or directory"), "{}", said.stderr);
    serves_on(&gateway).await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_loaded_refuses_everything() {
    let gateway = Gateway::start(&good()).await;
    let tls = "tls = { cert = \"missing.crt\", key = \"missing.key\" }";
    let sites = answering_site("new.test") + &answering_site_with("app.test", tls);
    let said = refused(&gateway, &config("", &sites)).await;
    assert!(said.stderr.contains("missing.crt"), "{}", said.stderr);
    let reply = ask(&gateway, &config("", &sites)).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_address_that_somebody_else_has_refuses_everything() {
    let gateway = Gateway::start(&good()).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let other = good()
        .replace("https = [", &format!("https = [\"{address}\", "))
        .replace("body = \"app.test\"", "body = \"new\"");
    let said = refused(&gateway, &other).await;
    assert!(
        said.stderr.contains(&format!("cannot listen on {address} (https)")),
        "{}",
        said.stderr
    );
    drop(taken);
    let said = reload(&gateway, &other).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains(&format!("listening on {address} (https)\n")), "{}", said.stdout);
}

#[tokio::test]
async fn an_included_file_is_read_again_and_named() {
    let main = config("", &answering_site("app.test"));
    let main = format!("include = [\"sites/*.toml\"]\n{main}");
    let folder = crate::harness::gateway::folder();
    let sites = folder.path().join("sites");
    std::fs::create_dir(&sites).unwrap();
    std::fs::write(sites.join("one.toml"), answering_site("one.test")).unwrap();
    let gateway = Gateway::start_in(folder, &main).await;
    let sites = gateway.dir().join("sites");
    std::fs::write(sites.join("two.toml"), answering_site("two.test").replace("tls", "tsl"))
        .unwrap();
    let said = refused(&gateway, &main).await;
    let place = format!("{}:2:1", sites.join("two.toml").display());
    assert!(said.stderr.contains(&place), "{}", said.stderr);
    std::fs::write(sites.join("two.toml"), answering_site("two.test")).unwrap();
    let said = reload(&gateway, &main).await;
    assert_eq!(said.stdout, "The configuration was reloaded.\nsites added: two.test\n");
    for host in ["one.test", "two.test"] {
        assert_eq!(Http::http2(&gateway, host).await.get("/").await.text(), host);
    }
}
