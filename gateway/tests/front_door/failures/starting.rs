//! What keeps the gateway from starting, and the sentence that says so.

use std::net::TcpListener;

use crate::harness::certs::{Authority, Kind};
use crate::harness::gateway::{FailedStart, Gateway, folder};
use crate::harness::http_client::Http;
use crate::harness::{answering_site, answering_site_with, config};

const FILES: &str = "tls = { cert = \"app.crt\", key = \"app.key\" }";

/// Whether the sentence names everything that it must.
fn says(failed: &FailedStart, words: &[&str]) {
    assert_eq!(failed.status.code(), Some(1), "{}: {}", failed.status, failed.stderr);
    for word in words {
        assert!(failed.stderr.contains(word), "{word:?} is missing in:\n{}", failed.stderr);
    }
    assert!(!failed.stderr.contains("panicked"), "{}", failed.stderr);
}

#[tokio::test]
async fn an_address_that_another_program_has() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for listener in ["http = [\"", "https = [\"", "admin = \""] {
        let free = format!("{listener}127.0.0.1:0");
        let toml =
            config("", &answering_site("app.test")).replace(&free, &format!("{listener}{address}"));
        let failed = Gateway::fail_in(folder(), &toml).await;
        says(&failed, &[&address, "in use"]);
    }
}

#[tokio::test]
async fn an_address_that_another_gateway_has() {
    let first = Gateway::start(&config("", &answering_site("app.test"))).await;
    let address = first.https().to_string();
    let toml = config("", &answering_site("app.test"))
        .replace("https = [\"127.0.0.1:0\"]", &format!("https = [\"{address}\"]"));
    // SO_REUSEPORT would let the two share it, and requests go to either.
    let failed = Gateway::fail_in(folder(), &toml).await;
    says(&failed, &[&address, "in use"]);
    let mut http = Http::http2(&first, "app.test").await;
    assert_eq!(http.get("/").await.text(), "app.test");
}

#[tokio::test]
async fn a_certificate_that_is_missing() {
    let dir = folder();
    Authority::new().issue(&["app.test"], Kind::Ecdsa).write(dir.path(), "app");
    std::fs::remove_file(dir.path().join("app.crt")).unwrap();
    let toml = config("", &answering_site_with("app.test", FILES));
    says(&Gateway::fail_in(dir, &toml).await, &["app.crt", "app.test"]);
}

#[tokio::test]
async fn a_key_that_is_missing() {
    let dir = folder();
    Authority::new().issue(&["app.test"], Kind::Ecdsa).write(dir.path(), "app");
    std::fs::remove_file(dir.path().join("app.key")).unwrap();
    let toml = config("", &answering_site_with("app.test", FILES));
    says(&Gateway::fail_in(dir, &toml).await, &["app.key"]);
}

#[tokio::test]
async fn a_key_that_does_not_match() {
    for other in [Kind::Ecdsa, Kind::Rsa] {
        let dir = folder();
        let authority = Authority::new();
        authority.issue(&["app.test"], Kind::Ecdsa).write(dir.path(), "app");
        let stranger = authority.issue(&["app.test"], other);
        std::fs::write(dir.path().join("app.key"), &stranger.key).unwrap();
        let toml = config("", &answering_site_with("app.test", FILES));
        let failed = Gateway::fail_in(dir, &toml).await;
        says(&failed, &["app.key", "app.crt"]);
        assert!(!failed.stderr.contains("PRIVATE"), "the key is shown:\n{}", failed.stderr);
    }
}

#[tokio::test]
async fn files_that_are_no_certificate_and_no_key() {
    for (file, text) in [("app.crt", ""), ("app.crt", "rubbish"), ("app.key", "rubbish")] {
        let dir = folder();
        Authority::new().issue(&["app.test"], Kind::Ecdsa).write(dir.path(), "app");
        std::fs::write(dir.path().join(file), text).unwrap();
        let toml = config("", &answering_site_with("app.test", FILES));
        says(&Gateway::fail_in(dir, &toml).await, &[file]);
    }
}

#[tokio::test]
async fn a_certificate_of_another_name() {
    let dir = folder();
    Authority::new().issue(&["other.test"], Kind::Ecdsa).write(dir.path(), "app");
    let toml = config("", &answering_site_with("app.test", FILES));
    says(&Gateway::fail_in(dir, &toml).await, &["app.crt", "app.test"]);
}

#[tokio::test]
async fn a_certificate_that_has_ended() {
    let dir = folder();
    Authority::new().issue_until(&["app.test"], Kind::Ecdsa, 2001).write(dir.path(), "app");
    let toml = config("", &answering_site_with("app.test", FILES));
    says(&Gateway::fail_in(dir, &toml).await, &["app.crt", "2001"]);
}

#[tokio::test]
async fn a_configuration_with_mistakes_is_shown_with_all_of_them() {
    let toml = config("unknwon = 1", "[site.\"app.test\"]\ntls = 5\nroutes = []\n");
    let failed = Gateway::fail_in(folder(), &toml).await;
    says(&failed, &["gateway.toml", "unknwon", "tls"]);
}

#[tokio::test]
async fn two_routes_that_tie() {
    let toml = config(
        "",
        "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
         { path = \"/a/*\", respond = { status = 200 } },\n\
         { path = \"/a/*\", respond = { status = 201 } },\n]\n",
    );
    says(&Gateway::fail_in(folder(), &toml).await, &["/a/*"]);
}

#[tokio::test]
async fn a_configuration_that_is_not_there() {
    let dir = folder();
    let missing = dir.path().join("missing.toml");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["run", "--config"])
        .arg(&missing)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("missing.toml"), "{said}");
}

#[tokio::test]
async fn nothing_listens_where_anything_is_wrong() {
    // A start that fails late must not have accepted anybody before.
    let dir = folder();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let toml = config("", &answering_site_with("app.test", FILES))
        .replace("https = [\"127.0.0.1:0\"]", &format!("https = [\"127.0.0.1:{port}\"]"));
    let failed = Gateway::fail_in(dir, &toml).await;
    says(&failed, &["app.crt"]);
    assert!(!failed.stderr.contains("\"ready\""), "{}", failed.stderr);
}
