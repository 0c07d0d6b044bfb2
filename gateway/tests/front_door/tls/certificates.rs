//! Which certificate is shown to whom.
//!
//! What nginx did: certificate files by hand.

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::harness::certs::{Authority, Issued, Kind};
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::Http;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, answering_site_with, config};

fn der(issued: &Issued) -> Vec<u8> {
    CertificateDer::from_pem_slice(issued.cert.as_bytes()).unwrap().to_vec()
}

#[tokio::test]
async fn each_site_shows_its_own_certificate_from_files() {
    let authority = Authority::new();
    let dir = folder();
    let one = authority.issue(&["one.test", "alias.test"], Kind::Ecdsa);
    let two = authority.issue(&["two.test"], Kind::Rsa);
    one.write(dir.path(), "one");
    two.write(dir.path(), "two");
    let sites = [
        answering_site_with(
            "one.test",
            "tls = { cert = \"one.crt\", key = \"one.key\" }\naliases = [\"alias.test\"]",
        ),
        answering_site_with("two.test", "tls = { cert = \"two.crt\", key = \"two.key\" }"),
    ];
    let gateway = Gateway::start_in(dir, &config("", &sites.join("\n"))).await;
    for (host, site, issued) in [
        ("one.test", "one.test", &one),
        ("alias.test", "one.test", &one),
        ("two.test", "two.test", &two),
    ] {
        let tls = Tls::trusting(authority.pem());
        let mut http = Http::connect(&tls, gateway.https(), host).await;
        assert_eq!(http.facts().certificate, der(issued), "another certificate for {host}");
        assert_eq!(http.get("/").await.text(), site);
    }
}

#[tokio::test]
async fn rsa_and_ecdsa_stand_side_by_side_and_the_client_s_schemes_choose() {
    let authority = Authority::new();
    let dir = folder();
    let ecdsa = authority.issue(&["app.test"], Kind::Ecdsa);
    let rsa = authority.issue(&["app.test"], Kind::Rsa);
    ecdsa.write(dir.path(), "ecdsa");
    rsa.write(dir.path(), "rsa");
    let site = answering_site_with(
        "app.test",
        "tls = [ { cert = \"rsa.crt\", key = \"rsa.key\" }, { cert = \"ecdsa.crt\", key = \"ecdsa.key\" } ]",
    );
    let gateway = Gateway::start_in(dir, &config("", &site)).await;
    let client = || Tls::trusting(authority.pem());
    let cases = [
        ("ECDSA only, TLS 1.3", client().tls13().schemes_of(Kind::Ecdsa), &ecdsa),
        ("ECDSA only, TLS 1.2", client().tls12().schemes_of(Kind::Ecdsa), &ecdsa),
        ("RSA only, TLS 1.3", client().tls13().schemes_of(Kind::Rsa), &rsa),
        ("RSA only, TLS 1.2", client().tls12().schemes_of(Kind::Rsa), &rsa),
        ("both, where the cheaper ECDSA is to be preferred", client(), &ecdsa),
    ];
    for (what, tls, issued) in cases {
        let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
        assert!(http.facts().certificate == der(issued), "the wrong certificate for {what}");
        assert_eq!(http.get("/").await.text(), "app.test", "{what}");
    }
}

#[tokio::test]
async fn a_client_whose_schemes_fit_no_certificate_is_refused_and_others_are_not() {
    let authority = Authority::new();
    let dir = folder();
    authority.issue(&["app.test"], Kind::Ecdsa).write(dir.path(), "app");
    let site = answering_site_with("app.test", "tls = { cert = \"app.crt\", key = \"app.key\" }");
    let gateway = Gateway::start_in(dir, &config("", &site)).await;
    let refused = Tls::trusting(authority.pem())
        .schemes_of(Kind::Rsa)
        .refused(gateway.https(), "app.test")
        .await;
    assert!(refused.alert().is_some(), "no alert, but {}", refused.error);
    let tls = Tls::trusting(authority.pem());
    let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test");
}

#[tokio::test]
async fn the_local_ca_is_made_once_and_kept_secret() {
    use std::os::unix::fs::PermissionsExt;

    let toml = config("", &answering_site("app.test"));
    let mut gateway = Gateway::start(&toml).await;
    let root = gateway.local_ca();
    let folder_of_ca = gateway.dir().join("storage/local-ca");
    let mut keys = 0;
    for entry in std::fs::read_dir(&folder_of_ca).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if text.contains("PRIVATE KEY") {
            keys += 1;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{} has the mode {mode:o}", path.display());
        }
    }
    assert!(keys > 0, "there is no key of the local CA in {}", folder_of_ca.display());
    assert!(gateway.stop().await.success());

    let again = Gateway::start_in(gateway.into_dir(), &toml).await;
    assert_eq!(again.local_ca(), root, "the second start made another local CA");
    let mut http = Http::http2(&again, "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test");
}
