//! `auth = { forward }`: another service decides, as Authelia, Authentik and oauth2-proxy do.

use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::config;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with, post};
use crate::harness::origin::{Origin, echo, echoed, echoed_once};
use crate::harness::replies::{Body, full};
use crate::harness::ws_client::WebSocket;

/// A service in the manner of Authelia: whoever has a session comes in, others are sent to log in.
async fn authelia(request: Request<Incoming>) -> Response<Body> {
    let header = |name: &str| {
        let value = request.headers().get(name).map(HeaderValue::as_bytes).unwrap_or_default();
        String::from_utf8_lossy(value).into_owned()
    };
    let (method, uri) = (header("x-forwarded-method"), header("x-forwarded-uri"));
    let (proto, host) = (header("x-forwarded-proto"), header("x-forwarded-host"));
    let (cookie, from) = (header("cookie"), header("x-forwarded-for"));
    let path = request.uri().to_string();
    let is_get = request.method() == "GET" && !request.headers().contains_key("content-length");
    let is_empty = request.into_body().collect().await.unwrap().to_bytes().is_empty();
    let mut response = Response::new(full(format!("asked for {path}")));
    let mut set = |name: &'static str, value: String| {
        let name = HeaderName::from_static(name);
        response.headers_mut().append(name, value.parse().unwrap());
    };
    if cookie.contains("session=alice") {
        set("remote-user", "alice".into());
        set("remote-groups", "admins".into());
        set("remote-groups", "users".into());
        set("x-forwarded-email", "alice@example.com".into());
        set("x-secret", "for the gateway alone".into());
        set("x-saw", format!("{method} {proto}://{host}{uri} from {from} {is_get} {is_empty}"));
        set("set-cookie", "session=alice-renewed; HttpOnly".into());
        return response;
    }
    set("location", format!("https://auth.test/?rd={proto}://{host}{uri}"));
    set("set-cookie", "state=1".into());
    set("set-cookie", "nonce=2".into());
    set("keep-alive", "timeout=5".into());
    let to_log_in = if cookie.contains("api") { 401 } else { 302 };
    *response.status_mut() = StatusCode::from_u16(to_log_in).unwrap();
    response
}

fn site(origin: &Origin, auth: &str, more: &str) -> String {
    config(
        "",
        &format!(
            "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
             {{ path = \"/*\", to = \"{}\", auth = {{ forward = {{ to = \"{auth}\", path = \"/api/authz?x=1\", {more}\n\
             copy_headers = [\"Remote-User\", \"Remote-Groups\", \"X-Forwarded-Email\", \"X-Saw\"] }} }} }},\n]\n",
            origin.addr()
        ),
    )
}

#[tokio::test]
async fn who_has_a_session_comes_in_under_the_name_that_the_service_says() {
    let (origin, auth) = (Origin::http(echo).await, Origin::http(authelia).await);
    let gateway = Gateway::start(&site(&origin, &auth.addr().to_string(), "")).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let mut request = post("/a/b?c=d", full("the body"));
        for (name, value) in [
            ("cookie", "session=alice"),
            ("remote-user", "root"),
            ("remote_user", "root"),
            ("x-forwarded-email", "root@example.com"),
            ("x-forwarded-method", "DELETE"),
            ("x-forwarded-uri", "/public"),
            ("if-none-match", "\"x\""),
        ] {
            request.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let reply = http.request(request).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        assert_eq!(reply.values("set-cookie"), ["session=alice-renewed; HttpOnly"]);
        let seen = reply.json();
        assert_eq!(
            (seen["method"].as_str(), seen["body"].as_str()),
            (Some("POST"), Some("the body"))
        );
        for (name, values) in [
            ("remote-user", &["alice"][..]),
            ("remote_user", &[]),
            ("remote-groups", &["admins", "users"]),
            ("x-forwarded-email", &["alice@example.com"]),
            ("x-secret", &[]),
            ("x-forwarded-method", &[]),
            ("cookie", &["session=alice"]),
            ("x-saw", &["POST https://app.test/a/b?c=d from 127.0.0.1 true true"]),
        ] {
            assert_eq!(echoed(&seen, name), values, "{name}");
        }
    }
    assert_eq!(auth.seen(), ["GET /api/authz?x=1"; 2]);
}

#[tokio::test]
async fn others_get_the_service_s_answer() {
    let (origin, auth) = (Origin::http(echo).await, Origin::http(authelia).await);
    let gateway = Gateway::start(&site(&origin, &auth.addr().to_string(), "")).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let page = http.request(get_with("/page?x", &[("remote-user", "alice")])).await;
        assert_eq!(page.status, StatusCode::FOUND);
        let location = page.header("location");
        assert_eq!(location.as_deref(), Some("https://auth.test/?rd=https://app.test/page?x"));
        assert_eq!(page.values("set-cookie"), ["state=1", "nonce=2"]);
        assert_eq!(page.text(), "asked for /api/authz?x=1");
        assert_eq!((page.header("keep-alive"), page.values("x-request-id").len()), (None, 1));
        let api = http.request(get_with("/", &[("cookie", "api=1")])).await;
        assert_eq!(api.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(origin.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_websocket_is_asked_about_too() {
    let origin = Origin::raw(|stream, _| async move {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            drop(socket.send(message).await);
        }
    })
    .await;
    let auth = Origin::http(authelia).await;
    let gateway = Gateway::start(&site(&origin, &auth.addr().to_string(), "")).await;
    let refused = WebSocket::open(&gateway, "app.test", "/ws").await;
    assert_eq!(refused.err(), Some(StatusCode::FOUND));
    let session = [("cookie", "session=alice")];
    let mut socket = WebSocket::open_with(&gateway, "app.test", "/ws", &session).await.unwrap();
    socket.send(Message::text("hello")).await;
    assert_eq!(socket.receive().await, Message::text("hello"));
}

/// Services that cannot decide: down, slow, broken, beside themselves.
async fn troubled() -> Vec<(&'static str, Origin)> {
    let slow = Origin::raw(|mut stream, _| async move {
        let mut held = Vec::new();
        drop(stream.read_to_end(&mut held).await);
    });
    let garbage = Origin::raw(|mut stream, _| async move {
        drop(stream.write_all(b"not HTTP at all\r\n\r\n").await);
    });
    let failing = Origin::http(|_| async {
        let mut response = Response::new(full("a secret stack trace"));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    });
    let endless = Origin::http(|_| async { Response::new(full(vec![b'x'; 2 << 20])) });
    vec![
        ("slow", slow.await),
        ("garbage", garbage.await),
        ("failing", failing.await),
        ("endless", endless.await),
    ]
}

#[tokio::test]
async fn a_service_in_trouble_lets_nobody_in() {
    let origin = Origin::http(echo).await;
    for (trouble, auth) in troubled().await {
        let gateway =
            Gateway::start(&site(&origin, &auth.addr().to_string(), "timeout = \"300ms\",")).await;
        for mut http in Http::both(&gateway, "app.test").await {
            let reply = http.request(get_with("/", &[("cookie", "session=alice")])).await;
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{trouble}");
            assert_eq!(reply.header("retry-after").as_deref(), Some("10"));
            assert!(!reply.text().contains("secret"));
        }
        let record = gateway.record_of("/").await;
        let error = record["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with("who may come in cannot be found out: "), "{error}");
    }
    let gateway = Gateway::start(&site(&origin, "127.0.0.1:1", "")).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(origin.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn where_the_configuration_says_so_everybody_comes_in_then_but_under_no_name() {
    let origin = Origin::http(echo).await;
    let more = "timeout = \"300ms\", on_error = \"allow\",";
    for (trouble, auth) in troubled().await {
        let gateway = Gateway::start(&site(&origin, &auth.addr().to_string(), more)).await;
        for mut http in Http::both(&gateway, "app.test").await {
            let reply = http.request(get_with("/", &[("remote-user", "root")])).await;
            assert_eq!(reply.status, StatusCode::OK, "{trouble}");
            assert_eq!(echoed_once(&reply.json(), "remote-user"), None);
        }
    }
    // A service that decides is still obeyed.
    let auth = Origin::http(authelia).await;
    let gateway = Gateway::start(&site(&origin, &auth.addr().to_string(), more)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn oversize_cookies_never_reach_the_service() {
    let (origin, auth) = (Origin::http(echo).await, Origin::http(authelia).await);
    let gateway = Gateway::start(&site(&origin, &auth.addr().to_string(), "")).await;
    let cookie = format!("session=alice; pad={}", "x".repeat(70_000));
    let mut http = Http::http1(&gateway, "app.test").await;
    let reply = http.try_request(get_with("/", &[("cookie", &cookie)])).await;
    let status = reply.map(|reply| reply.status).ok();
    assert_eq!(status, Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    assert_eq!(auth.seen(), Vec::<String>::new());
}
