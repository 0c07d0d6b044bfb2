//! `https://` servers that want a certificate of the gateway, and are called by another name.

use std::sync::Arc;

use hyper::{Response, StatusCode};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;

use super::app_of;
use crate::harness::certs::{Authority, Issued, Kind, provider};
use crate::harness::config;
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::replies::full;

/// What an origin serves with that asks clients for a certificate of this authority.
fn demanding(authority: &Authority, shown: &Issued) -> Arc<ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let chain = vec![CertificateDer::from_pem_slice(shown.cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

async fn status_with(authority: &Authority, keys: &str) -> (StatusCode, String) {
    let dir = folder();
    std::fs::write(dir.path().join("ca.pem"), authority.pem()).unwrap();
    // It names nobody, as clients' certificates may.
    authority.issue(&[], Kind::Ecdsa).write(dir.path(), "client");
    Authority::new().issue(&[], Kind::Ecdsa).write(dir.path(), "stranger");
    let served = demanding(authority, &authority.issue(&["inner.test"], Kind::Ecdsa));
    let origin = Origin::tls(served, async |_| Response::new(full("in confidence"))).await;
    let toml =
        app_of(&format!("\"https://{}\"", origin.addr()), &format!("ca = \"ca.pem\"\n{keys}"));
    let gateway = Gateway::start_in(dir, &config("", &toml)).await;
    let reply = Http::http2(&gateway, "app.test").await.get("/").await;
    (reply.status, reply.text())
}

#[tokio::test]
async fn the_gateway_shows_its_certificate_and_asks_for_the_name_that_it_is_told() {
    let authority = Authority::new();
    let client = "client_cert = { cert = \"client.crt\", key = \"client.key\" }";
    let sni = "sni = \"inner.test\"";
    let (status, text) = status_with(&authority, &format!("{client}\n{sni}")).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "in confidence"));
    let stranger = "client_cert = { cert = \"stranger.crt\", key = \"stranger.key\" }";
    for (what, keys) in [
        ("no certificate", sni.to_owned()),
        ("another authority's", format!("{stranger}\n{sni}")),
        ("the server's own name", client.to_owned()),
        ("another name", format!("{client}\nsni = \"outer.test\"")),
    ] {
        let (status, _) = status_with(&authority, &keys).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{what}");
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_shown_keeps_the_gateway_from_starting() {
    let authority = Authority::new();
    let dir = folder();
    authority.issue(&[], Kind::Ecdsa).write(dir.path(), "client");
    authority.issue(&[], Kind::Ecdsa).write(dir.path(), "other");
    std::fs::write(dir.path().join("ca.pem"), authority.pem()).unwrap();
    let keys = "ca = \"ca.pem\"\nclient_cert = { cert = \"client.crt\", key = \"other.key\" }";
    let toml = config("", &app_of("\"https://inner.test\"", keys));
    let failed = Gateway::fail_in(dir, &toml).await;
    assert!(!failed.status.success());
    assert!(failed.stderr.contains("upstream `app`"), "{}", failed.stderr);
    assert!(failed.stderr.contains("other.key"), "{}", failed.stderr);
}
