//! Certificates by files, in a new configuration and in the same.

use super::reloaded;
use crate::harness::certs::{Authority, Kind};
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::Http;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, answering_site_with, config};

#[tokio::test]
async fn a_file_with_a_newer_certificate_is_read_again() {
    let authority = Authority::new();
    let dir = folder();
    authority.issue_until(&["app.test"], Kind::Ecdsa, 2500).write(dir.path(), "app");
    let tls = "tls = { cert = \"app.crt\", key = \"app.key\" }";
    let toml = config("", &answering_site_with("app.test", tls));
    let gateway = Gateway::start_in(dir, &toml).await;
    let client = Tls::trusting(authority.pem());
    let mut old = Http::connect(&client, gateway.https(), "app.test").await;
    authority.issue_until(&["app.test"], Kind::Rsa, 2600).write(gateway.dir(), "app");
    let said = reloaded(&gateway, &toml).await;
    let nothing =
        "The configuration was reloaded.\nnothing changed; certificates were read again\n";
    assert_eq!(said, nothing);
    let fresh = Tls::trusting(authority.pem()).connect(gateway.https(), "app.test").await;
    assert_ne!(fresh.facts.certificate, old.facts().certificate);
    assert_eq!(old.get("/").await.text(), "app.test", "who is connected notices nothing");
}

#[tokio::test]
async fn a_site_may_get_its_certificate_from_elsewhere() {
    let authority = Authority::new();
    let dir = folder();
    authority.issue(&["app.test"], Kind::Ecdsa).write(dir.path(), "app");
    let gateway = Gateway::start_in(dir, &config("", &answering_site("app.test"))).await;
    let mut old = Http::http2(&gateway, "app.test").await;
    let tls = "tls = { cert = \"app.crt\", key = \"app.key\" }";
    reloaded(&gateway, &config("", &answering_site_with("app.test", tls))).await;
    assert_eq!(old.get("/").await.text(), "app.test");
    Tls::trusting(authority.pem()).connect(gateway.https(), "app.test").await;
}
