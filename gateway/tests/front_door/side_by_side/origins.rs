//! What stands behind both.

use std::net::SocketAddr;

use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::harness::origin::Origin;
use crate::harness::replies::{Body, empty, full};

/// The origins, by the names that configurations have for them.
pub(super) struct Origins {
    all: Vec<(&'static str, Origin)>,
}

impl Origins {
    pub(super) async fn start() -> Self {
        let mut all = Vec::new();
        for name in ["backend", "frontend", "grafana"] {
            all.push((name, Origin::http(move |request| answer(name, request)).await));
        }
        Self { all }
    }

    /// Fills `@backend@` and its like into a configuration.
    pub(super) fn fill(&self, config: &str) -> String {
        let policy = gateway_policy();
        let each = self.all.iter().map(|(name, origin)| (*name, origin.addr()));
        let filled = each.fold(config.to_owned(), |text, (name, address): (_, SocketAddr)| {
            text.replace(&format!("@{name}@"), &address.to_string())
        });
        filled.replace("@policy@", &policy)
    }
}

/// The content security policy of the preset `app`, as the gateway has it.
fn gateway_policy() -> String {
    use gateway_config::model::{HeaderPreset, ResponseHeaders};
    let preset = ResponseHeaders::of_preset(HeaderPreset::App);
    let mut policies = preset.default.iter().filter(|(name, _)| name == "content-security-policy");
    policies.next().expect("the preset has a policy").1.to_str().unwrap().to_owned()
}

/// What the path asks for, or else what the origin saw.
async fn answer(name: &'static str, mut request: Request<Incoming>) -> Response<Body> {
    if request.headers().contains_key(UPGRADE) {
        return upgrade(&mut request);
    }
    let path = request.uri().path().to_owned();
    let mut response = match path.as_str() {
        path if path.ends_with("/missing") || path.ends_with("/missing.js") => {
            let mut response = Response::new(full("not here"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
        _ => saw(name, request).await,
    };
    let (name, value) = match path.as_str() {
        "/framed" => ("x-frame-options", "DENY"),
        "/policy" => ("content-security-policy", "default-src 'none'"),
        "/powered" => ("x-powered-by", "PHP/5"),
        "/cookie" => ("set-cookie", "a=b; Path=/; HttpOnly"),
        "/moved" => ("location", "https://uat.familycart.app/elsewhere?a=b#c"),
        _ => return response,
    };
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// What both are to pass on. The rest is theirs to choose.
const PASSED_ON: [&str; 11] = [
    "host",
    "x-real-ip",
    "x-forwarded-for",
    "x-forwarded-proto",
    "connection",
    "upgrade",
    "cookie",
    "authorization",
    "x-custom",
    "accept",
    "te",
];

async fn saw(name: &str, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let mut seen = serde_json::Map::new();
    seen.insert("origin".into(), name.into());
    seen.insert("request".into(), format!("{} {}", head.method, head.uri).into());
    for header in PASSED_ON {
        let values = values(&head.headers, header);
        let told = match header {
            // The client is the first; who it came by is for whoever passes it on to say.
            "x-forwarded-for" => {
                values.join(" + ").split(',').next().unwrap_or_default().to_owned()
            }
            // Several lines of it are one list (RFC 9113 section 8.2.3).
            "cookie" => values.join("; "),
            _ => values.join(" + "),
        };
        if !told.is_empty() {
            seen.insert(header.into(), told.into());
        }
    }
    match body.collect().await {
        Ok(body) => seen.insert("body bytes".into(), body.to_bytes().len().into()),
        Err(_) => seen.insert("body".into(), "broke off".into()),
    };
    if head.uri.path().ends_with("/big") || head.uri.path().contains("big.") {
        seen.insert("padding".into(), "0123456789".repeat(400).into());
    }
    let mut response = Response::new(full(json!(seen).to_string()));
    let content_type =
        if head.uri.path().ends_with(".png") { "image/png" } else { "application/json" };
    response.headers_mut().insert("content-type", content_type.parse().unwrap());
    response
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<std::borrow::Cow<'h, str>> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
}

/// As many applications do it: the first `Connection` is the one that counts.
fn upgrade(request: &mut Request<Incoming>) -> Response<Body> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
    let asks = request
        .headers()
        .get(CONNECTION)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"upgrade"));
    let (Some(key), true) = (key, asks) else {
        let mut refused = Response::new(full("no WebSocket"));
        *refused.status_mut() = StatusCode::BAD_REQUEST;
        return refused;
    };
    let upgraded = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let Ok(stream) = upgraded.await else { return };
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, None).await;
        let (sink, source) = socket.split();
        drop(source.forward(sink).await);
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()))
        .body(empty())
        .unwrap()
}
