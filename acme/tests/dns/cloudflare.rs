//! Cloudflare's documented calls, answered by a stand-in.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway_acme::dns::{CloudflareError, DnsError, Provider};
use gateway_acme::https::HttpsError;
use gateway_config::model::DnsProvider;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http_server::HttpServer;
use crate::named::Named;
use crate::{ONE, TWO, ignorant, nobody, record, secret};

const TOKEN: &str = "uEwnRIXk1OIPXVUdjALUxdVBfRUOAZ9YfZzw9nGX";
const NAME: &str = "_acme-challenge.www.example.com";

/// Records of the one zone, `example.com`: id, name, content.
type Records = Arc<Mutex<Vec<(String, String, String)>>>;

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    Response::builder().status(status).body(body.to_string().into()).unwrap()
}

fn good(result: &Value) -> Response<Bytes> {
    answer(200, &json!({ "success": true, "errors": [], "messages": [], "result": result }))
}

fn bad(status: u16, code: u64, message: &str) -> Response<Bytes> {
    let errors = json!([{ "code": code, "message": message }]);
    answer(status, &json!({ "success": false, "errors": errors, "result": null }))
}

/// The API, as far as it is documented and needed.
fn api(records: &Records, request: &Request<Bytes>) -> Response<Bytes> {
    let bearer = request.headers()["authorization"].to_str().unwrap();
    match bearer.strip_prefix("Bearer ").unwrap() {
        TOKEN => {}
        "reader" if request.method() == Method::GET => {}
        "reader" => return bad(403, 10000, "Authentication error"),
        token => return bad(400, 6003, &format!("Invalid request headers\n(for {token}).")),
    }
    let query = request.uri().query().unwrap_or_default();
    let query = |key: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| *name == key).map(|(_, value)| value).next()
    };
    let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
    let mut records = records.lock().unwrap();
    match (request.method().as_str(), &path[..]) {
        ("GET", ["client", "v4", "zones"]) => match query("name") {
            Some("example.com") => {
                good(&json!([{ "id": "023e105f4ecef8ad", "name": "example.com" }]))
            }
            _ => good(&json!([])),
        },
        ("GET", ["client", "v4", "zones", "023e105f4ecef8ad", "dns_records"]) => {
            assert_eq!(query("type"), Some("TXT"));
            let found = records.iter().filter(|(_, name, _)| Some(name.as_str()) == query("name"));
            let found = found.map(|(id, name, content)| {
                json!({ "id": id, "type": "TXT", "name": name, "content": content })
            });
            good(&found.collect())
        }
        ("POST", ["client", "v4", "zones", "023e105f4ecef8ad", "dns_records"]) => {
            let new: Value = serde_json::from_slice(request.body()).unwrap();
            assert_eq!((&new["type"], &new["ttl"]), (&json!("TXT"), &json!(60)));
            let text = |key: &str| new[key].as_str().unwrap().to_owned();
            let (name, content) = (text("name"), text("content"));
            if records.iter().any(|(_, n, c)| (n, c) == (&name, &content)) {
                return bad(400, 81058, "An identical record already exists.");
            }
            let id = format!("{:032x}", records.len() + 1000);
            records.push((id.clone(), name, content));
            good(&json!({ "id": id }))
        }
        ("DELETE", ["client", "v4", "zones", "023e105f4ecef8ad", "dns_records", id]) => {
            records.retain(|(known, ..)| known != id);
            good(&json!({ "id": id }))
        }
        _ => bad(404, 7003, "Could not route"),
    }
}

async fn provider(dir: &TempDir, token: &str, address: SocketAddr) -> Provider {
    let token = secret(dir.path(), "token", token);
    let api = format!("http://{address}/client/v4");
    Provider::new(&DnsProvider::Cloudflare { token, api }, &[ignorant().await]).unwrap()
}

async fn stand_in() -> (HttpServer, Records) {
    let records = Records::default();
    let theirs = records.clone();
    (HttpServer::start(None, move |request| api(&theirs, &request)).await, records)
}

fn contents(records: &Records) -> Vec<String> {
    records.lock().unwrap().iter().map(|(_, _, content)| content.clone()).collect()
}

async fn refused(provider: &Provider, name: &str) -> CloudflareError {
    match provider.set(&record(name, ONE)).await.unwrap_err() {
        DnsError::Cloudflare(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn values_come_and_go_side_by_side() {
    let dir = TempDir::new().unwrap();
    let (server, records) = stand_in().await;
    let provider = provider(&dir, TOKEN, server.address).await;
    let (one, two) = (record(NAME, ONE), record(NAME, TWO));
    let quoted = |value| format!("\"{value}\"");
    provider.set(&one).await.unwrap();
    provider.set(&two).await.unwrap();
    // That it is there already is fine.
    provider.set(&two).await.unwrap();
    assert_eq!(contents(&records), [quoted(ONE), quoted(TWO)]);
    assert!(records.lock().unwrap().iter().all(|(_, name, _)| name == NAME));
    provider.remove(&one).await.unwrap();
    assert_eq!(contents(&records), [quoted(TWO)]);
    provider.remove(&one).await.unwrap();
    // Records of old have no quotes.
    records.lock().unwrap()[0].2 = TWO.into();
    provider.remove(&two).await.unwrap();
    assert_eq!(contents(&records), [""; 0]);
}

#[tokio::test]
async fn names_are_resolved_and_an_alias_is_followed() {
    let zone = "@ NS ns1\nns1 A 127.0.0.1\napi A 127.0.0.1\n_acme-challenge CNAME a.example.com.\n";
    let Some(named) = Named::start(&[("other.test", zone)]) else { return };
    let dir = TempDir::new().unwrap();
    let (server, records) = stand_in().await;
    let token = secret(dir.path(), "token", TOKEN);
    let api = format!("http://api.other.test:{}/client/v4/", server.address.port());
    let configured = DnsProvider::Cloudflare { token, api };
    let provider = Provider::new(&configured, &[named.address]).unwrap();
    provider.set(&record("_acme-challenge.other.test", ONE)).await.unwrap();
    assert_eq!(records.lock().unwrap()[0].1, "a.example.com");
}

#[tokio::test]
async fn tokens_that_may_not() {
    let dir = TempDir::new().unwrap();
    let (server, records) = stand_in().await;
    let wrong = provider(&dir, "very-wrong", server.address).await;
    let error = refused(&wrong, NAME).await;
    let CloudflareError::Forbidden { what: "find the zone", said, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(said, "status 400; 6003: Invalid request headers(for <token>)");
    assert!(!format!("{error:?} {error} {wrong:?}").contains("very-wrong"));

    let reader = provider(&dir, "reader", server.address).await;
    let error = refused(&reader, NAME).await;
    assert!(
        matches!(&error, CloudflareError::Forbidden { what: "add the record", .. }),
        "{error:?}"
    );
    let two_lines = provider(&dir, "one\ntwo", server.address).await;
    let error = refused(&two_lines, NAME).await;
    assert!(matches!(error, CloudflareError::Malformed { .. }), "{error:?}");
    assert_eq!(contents(&records), [""; 0]);
}

#[tokio::test]
async fn a_zone_that_the_token_does_not_see() {
    let dir = TempDir::new().unwrap();
    let (server, _) = stand_in().await;
    let provider = provider(&dir, TOKEN, server.address).await;
    let error = refused(&provider, "_acme-challenge.example.org").await;
    assert!(
        matches!(&error, CloudflareError::NoZone { name, .. } if name == "_acme-challenge.example.org"),
        "{error:?}"
    );
}

#[tokio::test]
async fn answers_that_are_of_no_use() {
    let dir = TempDir::new().unwrap();
    let garbage = HttpServer::start(None, |_| Response::new("<html>".into())).await;
    let error = refused(&provider(&dir, TOKEN, garbage.address).await, NAME).await;
    assert!(matches!(error, CloudflareError::Garbled { status: 200, .. }), "{error:?}");

    let other = HttpServer::start(None, |_| good(&json!({ "id": 1 }))).await;
    let error = refused(&provider(&dir, TOKEN, other.address).await, NAME).await;
    assert!(matches!(error, CloudflareError::Garbled { .. }), "{error:?}");

    let broken = HttpServer::start(None, |_| bad(500, 1000, "internal")).await;
    let error = refused(&provider(&dir, TOKEN, broken.address).await, NAME).await;
    assert!(matches!(error, CloudflareError::Api { .. }), "{error:?}");

    let limited = HttpServer::start(None, |_| {
        let mut answer = bad(429, 971, "rate limited");
        answer.headers_mut().insert("retry-after", "17".parse().unwrap());
        answer
    });
    let error = refused(&provider(&dir, TOKEN, limited.await.address).await, NAME).await;
    let CloudflareError::RateLimited { after } = error else { panic!("{error:?}") };
    assert_eq!(after, Some(Duration::from_secs(17)));
}

#[tokio::test]
async fn a_server_that_is_closed() {
    let dir = TempDir::new().unwrap();
    let error = refused(&provider(&dir, TOKEN, nobody().await).await, NAME).await;
    assert!(matches!(error, CloudflareError::Https(HttpsError::Refused { .. })), "{error:?}");
}
