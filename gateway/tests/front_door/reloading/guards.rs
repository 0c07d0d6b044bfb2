//! What `auth`, `webhook` and `client_certs` read is read again, and what they remember stays.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::{Request, StatusCode};

use super::reloaded;
use crate::harness::certs::Authority;
use crate::harness::config;
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get_with};
use crate::harness::replies::{Body, full};
use crate::harness::tls_client::Tls;

const ROUTES: &str = "routes = [ { path = \"/*\", respond = { status = 200, body = \"in\" } } ]\n";

fn site(keys: &str) -> String {
    config("", &format!("[site.\"app.test\"]\ntls = \"self-signed\"\n{keys}\n{ROUTES}"))
}

fn delivery(secret: &str, body: &'static str) -> Request<Body> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, body.as_bytes());
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = Request::post("/").header("x-hub-signature-256", format!("sha256={digits}"));
    request.body(full(body)).unwrap()
}

#[tokio::test]
async fn a_webhook_s_secret_is_read_again_and_its_deliveries_stay_known() {
    let dir = folder();
    std::fs::write(dir.path().join("secret"), "first").unwrap();
    let text = site("webhook = { provider = \"github\", secrets = [{ file = \"secret\" }] }");
    let gateway = Gateway::start_in(dir, &text).await;
    let [mut http1, mut http2] = Http::both(&gateway, "app.test").await;
    assert_eq!(http1.request(delivery("first", "one")).await.status, StatusCode::OK);
    reloaded(&gateway, &text).await;
    assert_eq!(http2.request(delivery("first", "one")).await.status, StatusCode::CONFLICT);
    std::fs::write(gateway.dir().join("secret"), "second").unwrap();
    reloaded(&gateway, &text).await;
    for (http, body) in [(&mut http1, "two"), (&mut http2, "three")] {
        assert_eq!(http.request(delivery("second", body)).await.status, StatusCode::OK);
        assert_eq!(http.request(delivery("first", body)).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_user_who_is_no_longer_in_the_file_is_out() {
    let dir = folder();
    let line = |user: &str| format!("{user}:{}\n", bcrypt::hash("open sesame", 4).unwrap());
    std::fs::write(dir.path().join("users"), line("alice")).unwrap();
    let text = site("auth = { basic = { file = \"users\" } }");
    let gateway = Gateway::start_in(dir, &text).await;
    let said = |user: &str| {
        let said = format!("Basic {}", STANDARD.encode(format!("{user}:open sesame")));
        get_with("/", &[("authorization", &said)])
    };
    for mut http in Http::both(&gateway, "app.test").await {
        std::fs::write(gateway.dir().join("users"), line("alice")).unwrap();
        reloaded(&gateway, &text).await;
        assert_eq!(http.request(said("alice")).await.status, StatusCode::OK);
        std::fs::write(gateway.dir().join("users"), line("bob")).unwrap();
        reloaded(&gateway, &text).await;
        assert_eq!(http.request(said("alice")).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(http.request(said("bob")).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_certificate_that_is_revoked_is_of_no_use_on_an_open_connection_either() {
    let authority = Authority::new();
    let dir = folder();
    std::fs::write(dir.path().join("clients.pem"), authority.pem()).unwrap();
    std::fs::write(dir.path().join("clients.crl"), authority.revoke(&[], 3000)).unwrap();
    let text = site("client_certs = { ca = \"clients.pem\", crl = [\"clients.crl\"] }");
    let gateway = Gateway::start_in(dir, &text).await;
    let alice = authority.issue_to("alice", 7, 3000);
    let tls = |alpn| Tls::trusting(&gateway.local_ca()).alpn(&[alpn]).showing(&alice).tls12();
    let mut open = Vec::new();
    for alpn in ["http/1.1", "h2"] {
        open.push(Http::connect(&tls(alpn), gateway.https(), "app.test").await);
    }
    reloaded(&gateway, &text).await;
    for http in &mut open {
        assert_eq!(http.get("/").await.status, StatusCode::OK, "nothing has changed");
    }
    std::fs::write(gateway.dir().join("clients.crl"), authority.revoke(&[7], 3000)).unwrap();
    reloaded(&gateway, &text).await;
    for http in &mut open {
        assert_eq!(http.get("/").await.status, StatusCode::MISDIRECTED_REQUEST);
    }
    assert!(tls("h2").try_connect(gateway.https(), "app.test").await.is_err());
}

#[tokio::test]
async fn a_secret_that_is_gone_leaves_the_old_one_in_use() {
    let dir = folder();
    std::fs::write(dir.path().join("secret"), "first").unwrap();
    let text = site("webhook = { provider = \"github\", secrets = [{ file = \"secret\" }] }");
    let gateway = Gateway::start_in(dir, &text).await;
    std::fs::remove_file(gateway.dir().join("secret")).unwrap();
    let refused = super::ask(&gateway, &text).await;
    assert!(!refused.status.is_success(), "{}", refused.text());
    assert!(refused.text().contains("the secret's file"), "{}", refused.text());
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.request(delivery("first", "one")).await.status, StatusCode::OK);
}
