//! `client_certs` on a site: certificates of clients, and lists of revoked ones.

use hyper::{Request, StatusCode};
use tempfile::TempDir;
use tokio_rustls::rustls::ProtocolVersion;

use crate::harness::certs::{Authority, Issued};
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get_with};
use crate::harness::origin::{Origin, echo, echoed, echoed_once};
use crate::harness::raw_client::Raw;
use crate::harness::replies::empty;
use crate::harness::tls_client::Tls;
use crate::harness::{config, eventually};

fn site(origin: &Origin, clients: &str) -> String {
    config(
        "",
        &format!(
            "[site.\"app.test\"]\ntls = \"self-signed\"\nclient_certs = {{ ca = \"clients.pem\", {clients} }}\n\
             routes = [{{ path = \"/*\", to = \"{0}\" }}]\n\
             [site.\"open.test\"]\ntls = \"self-signed\"\nroutes = [{{ path = \"/*\", to = \"{0}\" }}]\n",
            origin.addr()
        ),
    )
}

fn with_ca(authority: &Authority) -> TempDir {
    let dir = folder();
    std::fs::write(dir.path().join("clients.pem"), authority.pem()).unwrap();
    dir
}

/// A client of each version of TLS that shows this certificate.
fn clients(gateway: &Gateway, shown: Option<&Issued>) -> [Tls; 4] {
    let client = || {
        let tls = Tls::trusting(&gateway.local_ca());
        shown.into_iter().fold(tls, Tls::showing)
    };
    let (h1, h2) = (&["http/1.1"], &["h2"]);
    [
        client().tls13().alpn(h1),
        client().tls13().alpn(h2),
        client().tls12().alpn(h1),
        client().tls12().alpn(h2),
    ]
}

/// Whether the server takes a client. TLS 1.3 tells only after the handshake: whoever is refused gets
/// an alert where an answer would be.
async fn is_let_in(gateway: &Gateway, tls: &Tls) -> bool {
    let Ok(secure) = tls.try_connect(gateway.https(), "app.test").await else { return false };
    let greeting: &[u8] = match secure.facts.alpn.as_deref() {
        // The preface and an empty SETTINGS frame.
        Some("h2") => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        _ => b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n",
    };
    let mut raw = Raw::over(secure.stream);
    raw.write(greeting).await;
    raw.has_more().await
}

async fn failures(gateway: &Gateway, reason: &str) -> u64 {
    let mut admin = Http::plain(gateway.admin(), "admin").await;
    let text = admin.get("/metrics").await.text();
    let name = format!("gateway_tls_handshake_failures_total{{reason=\"{reason}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn who_has_a_certificate_comes_in_and_the_upstream_learns_whose() {
    let (origin, authority) = (Origin::http(echo).await, Authority::new());
    let toml = site(&origin, "header = \"X-Client-Subject\"");
    let gateway = Gateway::start_in(with_ca(&authority), &toml).await;
    let alice = authority.issue_to("alice", 1, 3000);
    for tls in clients(&gateway, Some(&alice)) {
        for _ in 0..2 {
            let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
            assert!(!http.facts().resumed, "a list of today would not be asked");
            let claims = [("x-client-subject", "CN=root"), ("x_client_subject", "CN=root")];
            let seen = http.request(get_with("/", &claims)).await.json();
            assert_eq!(echoed_once(&seen, "x-client-subject").as_deref(), Some("CN=alice"));
            assert_eq!(echoed(&seen, "x_client_subject"), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn nobody_else_comes_in_and_the_metrics_say_why() {
    let (origin, authority) = (Origin::http(echo).await, Authority::new());
    let dir = with_ca(&authority);
    std::fs::write(dir.path().join("clients.crl"), authority.revoke(&[7], 3000)).unwrap();
    let gateway = Gateway::start_in(dir, &site(&origin, "crl = [\"clients.crl\"]")).await;
    let (good, revoked) = (authority.issue_to("a", 6, 3000), authority.issue_to("b", 7, 3000));
    let expired = authority.issue_to("c", 8, 2001);
    let stranger = Authority::new().issue_to("d", 6, 3000);
    for tls in clients(&gateway, Some(&good)) {
        assert!(is_let_in(&gateway, &tls).await);
    }
    for (reason, shown) in [
        ("client_certificate_missing", None),
        ("client_certificate_revoked", Some(&revoked)),
        ("client_certificate_expired", Some(&expired)),
        ("client_certificate_refused", Some(&stranger)),
    ] {
        for tls in clients(&gateway, shown) {
            assert!(!is_let_in(&gateway, &tls).await, "{reason}");
        }
        eventually(reason, || async { (failures(&gateway, reason).await >= 4).then_some(()) })
            .await;
    }
    assert_eq!(origin.seen().len(), 2, "only the good one came through, over HTTP/1.1");
}

#[tokio::test]
async fn a_list_that_is_over_lets_nobody_in() {
    let (origin, authority) = (Origin::http(echo).await, Authority::new());
    let dir = with_ca(&authority);
    std::fs::write(dir.path().join("clients.crl"), authority.revoke(&[], 2021)).unwrap();
    let gateway = Gateway::start_in(dir, &site(&origin, "crl = [\"clients.crl\"]")).await;
    for tls in clients(&gateway, Some(&authority.issue_to("a", 6, 3000))) {
        assert!(!is_let_in(&gateway, &tls).await);
    }
    let reason = "client_revocation_list";
    eventually(reason, || async { (failures(&gateway, reason).await >= 4).then_some(()) }).await;
}

#[tokio::test]
async fn a_certificate_may_be_optional_but_not_wrong() {
    let (origin, authority) = (Origin::http(echo).await, Authority::new());
    let toml = site(&origin, "mode = \"optional\", header = \"X-Client-Subject\"");
    let gateway = Gateway::start_in(with_ca(&authority), &toml).await;
    for tls in clients(&gateway, None) {
        let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
        let claim = [("x-client-subject", "CN=alice")];
        let seen = http.request(get_with("/", &claim)).await.json();
        assert_eq!(echoed_once(&seen, "x-client-subject"), None);
    }
    let stranger = Authority::new().issue_to("d", 6, 3000);
    for tls in clients(&gateway, Some(&stranger)) {
        assert!(!is_let_in(&gateway, &tls).await);
    }
}

#[tokio::test]
async fn another_site_s_connection_is_no_way_around_it() {
    let (origin, authority) = (Origin::http(echo).await, Authority::new());
    let gateway = Gateway::start_in(with_ca(&authority), &site(&origin, "")).await;
    let mut http1 = Http::http1(&gateway, "open.test").await;
    let asked = Request::get("/").header("host", "app.test").body(empty()).unwrap();
    assert_eq!(http1.request(asked).await.status, StatusCode::MISDIRECTED_REQUEST);
    let mut http2 = Http::http2(&gateway, "open.test").await;
    let asked = Request::get("https://app.test/").body(empty()).unwrap();
    assert_eq!(http2.request(asked).await.status, StatusCode::MISDIRECTED_REQUEST);
    // A session of the open site is not resumed there either.
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]).tls13();
    for _ in 0..2 {
        let mut http = Http::connect(&tls, gateway.https(), "open.test").await;
        assert_eq!(http.get("/").await.status, StatusCode::OK);
        assert_eq!(http.facts().version, ProtocolVersion::TLSv1_3);
    }
    assert!(!is_let_in(&gateway, &tls).await);
    assert_eq!(origin.seen().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_keeps_the_gateway_from_starting() {
    let (origin, authority) = (Origin::http(echo).await, Authority::new());
    let with = |name: &str, text: &str| {
        let dir = with_ca(&authority);
        std::fs::write(dir.path().join(name), text).unwrap();
        dir
    };
    for (dir, sentence) in [
        (folder(), "the CA's certificate `"),
        (with("clients.pem", "no PEM"), "the CA's certificate `"),
        (with("x", ""), "the list of revoked certificates `"),
        (with("clients.crl", authority.pem()), "the list of revoked certificates `"),
    ] {
        let failed = Gateway::fail_in(dir, &site(&origin, "crl = [\"clients.crl\"]")).await;
        assert_eq!(failed.status.code(), Some(1));
        assert!(failed.stderr.contains("site `app.test`: `client_certs`: "), "{}", failed.stderr);
        assert!(failed.stderr.contains(sentence), "{}", failed.stderr);
    }
}
