//! The HTTPS client against servers on loopback, and what it says where there is no answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/http_server.rs"]
mod http_server;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_acme::https::{HttpsClient, HttpsError};
use http::{Request, Response, StatusCode};
use http_server::HttpServer;
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::net::TcpListener;

fn get(uri: &str) -> Request<Bytes> {
    Request::get(uri).body(Bytes::new()).unwrap()
}

/// A server's certificate for `localhost` that is its own root, and the root in a file.
fn tls(dir: &TempDir, alpn: &[u8]) -> (Arc<rustls::ServerConfig>, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let root = dir.path().join("root.pem");
    fs::write(&root, certificate.pem()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = rustls::ServerConfig::builder_with_provider(gateway_certs::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![alpn.to_vec()];
    (Arc::new(config), root)
}

#[tokio::test]
async fn both_versions_of_http_and_the_gateways_name() {
    let dir = TempDir::new().unwrap();
    for (alpn, version) in [(&b"h2"[..], "HTTP/2.0"), (b"http/1.1", "HTTP/1.1")] {
        let (config, root) = tls(&dir, alpn);
        let server = HttpServer::start(Some(config), |request| {
            let agent = request.headers()["user-agent"].to_str().unwrap();
            Response::new(format!("{:?} {agent}", request.version()).into())
        })
        .await;
        let client = HttpsClient::new(Some(&root), &[]).unwrap();
        let uri = format!("https://localhost:{}/", server.address.port());
        let answer = client.send(get(&uri)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let expected = format!("{version} gateway/{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(answer.body(), &Bytes::from(expected));
    }
}

#[tokio::test]
async fn a_body_arrives_and_a_status_is_no_error() {
    let server = HttpServer::start(None, |request| {
        let mut answer = Response::new(request.into_body());
        *answer.status_mut() = StatusCode::IM_A_TEAPOT;
        answer
    })
    .await;
    let client = HttpsClient::new(None, &[]).unwrap();
    let request = Request::post(format!("http://{}/", server.address)).body("tea".into()).unwrap();
    let answer = client.send(request).await.unwrap();
    assert_eq!((answer.status(), answer.body().as_ref()), (StatusCode::IM_A_TEAPOT, &b"tea"[..]));
}

#[tokio::test]
async fn a_root_that_nobody_gave_is_not_trusted() {
    let dir = TempDir::new().unwrap();
    let (config, root) = tls(&dir, b"h2");
    let server = HttpServer::start(Some(config), |_| Response::default()).await;
    let uri = format!("https://localhost:{}/", server.address.port());
    let error = HttpsClient::new(None, &[]).unwrap().send(get(&uri)).await.unwrap_err();
    assert!(
        matches!(error, HttpsError::NotTrusted { .. } | HttpsError::NoRoots { .. }),
        "{error:?}"
    );
    // The certificate is for a name, and this is an address.
    let uri = format!("https://{}/", server.address);
    let error = HttpsClient::new(Some(&root), &[]).unwrap().send(get(&uri)).await.unwrap_err();
    let HttpsError::NotTrusted { reason, .. } = error else { panic!("{error:?}") };
    assert!(reason.contains("not valid for name"), "{reason}");
}

#[tokio::test]
async fn nothing_listens() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = HttpsClient::new(None, &[]).unwrap();
    for scheme in ["http", "https"] {
        let error = client.send(get(&format!("{scheme}://{address}/"))).await.unwrap_err();
        assert!(matches!(error, HttpsError::Refused { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = HttpsClient::new(None, &[nobody]).unwrap();
    let error = client.send(get("https://acme.invalid/directory")).await.unwrap_err();
    assert!(
        matches!(&error, HttpsError::Unresolved { server, .. } if server == "acme.invalid"),
        "{error:?}"
    );
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    // Connections wait in the backlog and are never answered.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = HttpsClient::new(None, &[]).unwrap().with_time_limit(Duration::from_millis(50));
    let uri = format!("https://{}/", silent.local_addr().unwrap());
    let error = client.send(get(&uri)).await.unwrap_err();
    assert!(matches!(error, HttpsError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn bodies_are_read_up_to_a_limit() {
    let server = HttpServer::start(None, |request| {
        let more = usize::from(request.uri().path() == "/more");
        Response::new(vec![b' '; 1024 * 1024 + more].into())
    })
    .await;
    let client = HttpsClient::new(None, &[]).unwrap();
    let at_the_limit = client.send(get(&format!("http://{}/", server.address))).await.unwrap();
    assert_eq!(at_the_limit.body().len(), 1024 * 1024);
    let error = client.send(get(&format!("http://{}/more", server.address))).await.unwrap_err();
    assert!(matches!(error, HttpsError::BodyTooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail\r\n").await.unwrap();
        stream
    });
    let error = HttpsClient::new(None, &[]).unwrap().send(get(&uri)).await.unwrap_err();
    assert!(matches!(error, HttpsError::Failed { .. }), "{error:?}");
    server.await.unwrap();
    let error = HttpsClient::new(None, &[]).unwrap().send(get("/only/a/path")).await.unwrap_err();
    assert!(matches!(error, HttpsError::NoHost { .. }), "{error:?}");
}

#[tokio::test]
async fn roots_that_are_none() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("roots.pem");
    let refused = || HttpsClient::new(Some(&path), &[]).unwrap_err();
    assert!(matches!(refused(), HttpsError::Roots { .. }));
    fs::write(&path, "no PEM").unwrap();
    assert!(matches!(refused(), HttpsError::Roots { .. }));
    fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert!(matches!(refused(), HttpsError::Root { .. }));
}
