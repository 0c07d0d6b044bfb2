//! `webhook`: only what GitHub has signed goes on. The row "Runner webhooks: port 9000 opened on the
//! host, no signature check at the edge" of the comparison with nginx.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use aws_lc_rs::hmac;
use bytes::Bytes;
use hyper::{Request, StatusCode};
use serde_json::Value;

use crate::harness::config;
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get_with};
use crate::harness::memory::MIB;
use crate::harness::origin::{Origin, echo, echoed_once, status};
use crate::harness::raw_client::Raw;
use crate::harness::replies::{Body, Reply, channel, empty, full};

/// The example of GitHub's documentation.
const SECRET: &str = "It's a Secret to Everybody";
const PAYLOAD: &str = "Hello, World!";
const SIGNED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body);
    let digits = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256={}", digits.collect::<String>())
}

/// A gateway whose site is one route for webhooks; `more` are further keys of `webhook`.
async fn gateway(origin: &Origin, more: &str, keys: &str) -> Gateway {
    let dir = folder();
    std::fs::write(dir.path().join("secret"), format!("{SECRET}\n")).unwrap();
    std::fs::write(dir.path().join("older"), "older").unwrap();
    let site = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [{{ path = \"/*\", to = \"{}\", {keys}\n\
         webhook = {{ provider = \"github\", secrets = [{{ file = \"secret\" }}, {{ file = \"older\" }}], {more} }} }}]\n",
        origin.addr()
    );
    Gateway::start_in(dir, &config("", &site)).await
}

fn delivery(signature: impl AsRef<[u8]>, body: Body) -> Request<Body> {
    let request = Request::post("/github").header("x-hub-signature-256", signature.as_ref());
    request.body(body).unwrap()
}

fn event(name: &str, body: &str) -> Request<Body> {
    let mut request = delivery(sign(SECRET, body.as_bytes()), full(body.to_owned()));
    request.headers_mut().insert("x-github-event", name.parse().unwrap());
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    request
}

/// A body without a length, in two pieces.
async fn send_in_pieces(http: &mut Http, signature: &str, body: &'static str) -> Reply {
    let (pieces, streamed) = channel();
    let (first, second) = body.split_at(body.len() / 2);
    let send = async {
        for piece in [first, second] {
            pieces.send(Ok(Bytes::from_static(piece.as_bytes()))).await.unwrap();
        }
        drop(pieces);
    };
    tokio::join!(http.request(delivery(signature, streamed)), send).0
}

#[tokio::test]
async fn the_documented_example_goes_on_as_it_came() {
    let origin = Origin::http(echo).await;
    let gateway = gateway(&origin, "replay = \"allow\"", "").await;
    for mut http in Http::both(&gateway, "app.test").await {
        let whole = http.request(delivery(SIGNED, full(PAYLOAD))).await;
        let streamed = send_in_pieces(&mut http, SIGNED, PAYLOAD).await;
        for reply in [whole, streamed] {
            assert_eq!(reply.status, StatusCode::OK, "{:?}: {}", http.version(), reply.text());
            let seen = reply.json();
            assert_eq!(seen["body"], PAYLOAD);
            assert_eq!(echoed_once(&seen, "content-length").as_deref(), Some("13"));
            assert_eq!(echoed_once(&seen, "x-hub-signature-256").as_deref(), Some(SIGNED));
            assert_eq!(echoed_once(&seen, "transfer-encoding"), None);
        }
        // Another request on the same connection: nothing of the body was left on it.
        let again = http.request(delivery(sign("older", b""), empty())).await;
        assert_eq!((again.status, again.json()["body"].clone()), (StatusCode::OK, "".into()));
    }
}

#[tokio::test]
async fn no_bit_of_body_or_signature_can_be_changed() {
    let origin = Origin::http(echo).await;
    let gateway = gateway(&origin, "", "").await;
    let flipped = |text: &str, bit: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    for mut http in Http::both(&gateway, "app.test").await {
        for bit in 0..PAYLOAD.len() * 8 {
            let body = full(flipped(PAYLOAD, bit));
            let reply = http.request(delivery(SIGNED, body)).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "bit {bit} of the body");
        }
    }
    // HTTP/1.1 closes where a body was not even read, so this goes over HTTP/2 alone.
    let mut http = Http::http2(&gateway, "app.test").await;
    let mut sent = 0;
    for bit in 0..SIGNED.len() * 8 {
        let signature = flipped(SIGNED, bit);
        if hyper::header::HeaderValue::from_bytes(&signature).is_err() {
            continue;
        }
        let reply = http.request(delivery(&signature, full(PAYLOAD))).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "bit {bit} of the signature");
        sent += 1;
    }
    assert!(sent > SIGNED.len() * 6, "only {sent} bits");
    assert_eq!(origin.seen(), Vec::<String>::new());
    assert_eq!(http.request(delivery(SIGNED, full(PAYLOAD))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn strangers_learn_nothing_and_the_log_says_why() {
    let origin = Origin::http(echo).await;
    let gateway = gateway(&origin, "", "").await;
    let forged = sign("guessed", b"{}");
    let requests = || {
        let unsigned = Request::post("/unsigned").body(full("{}"));
        let wrong = Request::post("/wrong").header("x-hub-signature-256", &forged);
        [unsigned, Request::get("/get").body(empty()), wrong.body(full("{}"))]
    };
    for index in 0..requests().len() {
        for mut http in Http::both(&gateway, "app.test").await {
            let request = requests().into_iter().nth(index).unwrap();
            let reply = http.request(request.unwrap()).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            let id = reply.header("x-request-id").unwrap();
            assert_eq!(reply.text(), format!("401 Unauthorized\nRequest {id}\n"));
        }
    }
    assert_eq!(origin.seen(), Vec::<String>::new());
    for (path, sentence) in [
        ("/unsigned", "the delivery has no signature"),
        ("/get", "the delivery has no signature"),
        ("/wrong", "the delivery's signature is none of the secrets'"),
    ] {
        assert_eq!(gateway.record_of(path).await["error"], sentence);
    }
}

#[tokio::test]
async fn a_secret_is_changed_without_losing_a_delivery() {
    let origin = Origin::http(echo).await;
    let gateway = gateway(&origin, "", "").await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for (secret, expected) in [(SECRET, 200), ("older", 200), ("oldest", 401), ("", 401)] {
        let reply = http.request(delivery(sign(secret, b"a body"), full("a body"))).await;
        assert_eq!(reply.status, expected, "{secret:?}");
    }
}

#[tokio::test]
async fn only_the_events_that_are_asked_for_go_on() {
    let origin = Origin::http(echo).await;
    let events = "events = [\"workflow_job.queued\", \"ping\"]";
    let gateway = gateway(&origin, events, "").await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = http.version();
        let queued = format!("{{\"action\":\"queued\",\"by\":\"{version:?}\"}}");
        let zen = format!("{{\"zen\":\"{version:?}\"}}");
        for (name, body, expected) in [
            ("workflow_job", queued.as_str(), 200),
            ("ping", &zen, 200),
            ("workflow_job", "{\"action\":\"completed\"}", 204),
            ("workflow_job", "not JSON", 204),
            ("push", "{\"action\":\"queued\"}", 204),
        ] {
            let reply = http.request(event(name, body)).await;
            assert_eq!(reply.status, expected, "{name} {body}");
            assert_eq!(reply.body.is_empty(), expected == 204);
        }
        // Who has not signed is not told what is asked for.
        let mut forged = event("push", "{}");
        forged.headers_mut().insert("x-hub-signature-256", sign("?", b"{}").parse().unwrap());
        assert_eq!(http.request(forged).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(origin.seen().len(), 4, "{:?}", origin.seen());
}

#[tokio::test]
async fn what_went_well_does_not_come_again_and_what_failed_may() {
    let answer = Arc::new(AtomicU16::new(500));
    let said = Arc::clone(&answer);
    let origin = Origin::http(move |_| {
        let code = said.load(Ordering::SeqCst);
        async move { status(StatusCode::from_u16(code).unwrap(), "said") }
    })
    .await;
    let gateway = gateway(&origin, "", "").await;
    let [mut http1, mut http2] = Http::both(&gateway, "app.test").await;
    let send = || event("push", "{\"n\":1}");
    assert_eq!(http1.request(send()).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    answer.store(202, Ordering::SeqCst);
    assert_eq!(http2.request(send()).await.status, StatusCode::ACCEPTED, "GitHub's redelivery");
    for http in [&mut http1, &mut http2] {
        // Under another id too: ids are not signed.
        let mut replayed = send();
        replayed.headers_mut().insert("x-github-delivery", "another".parse().unwrap());
        let reply = http.request(replayed).await;
        assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text());
    }
    assert_eq!(http1.request(event("push", "{\"n\":2}")).await.status, StatusCode::ACCEPTED);
    assert_eq!(origin.seen().len(), 3);
}

#[tokio::test]
async fn a_redelivery_goes_on_where_it_is_allowed() {
    let origin = Origin::text("taken").await;
    let gateway = gateway(&origin, "replay = \"allow\"", "").await;
    let mut http = Http::http1(&gateway, "app.test").await;
    for _ in 0..3 {
        assert_eq!(http.request(event("push", "{}")).await.status, StatusCode::OK);
    }
    assert_eq!(origin.seen().len(), 3);
}

#[tokio::test]
async fn a_delivery_may_be_as_large_as_github_s_and_no_larger() {
    let origin = Origin::http(echo).await;
    let gateway = gateway(&origin, "", "").await;
    let large = vec![b' '; 20 * usize::try_from(MIB).unwrap()];
    let mut http = Http::http2(&gateway, "app.test").await;
    let reply = http.request(delivery(sign(SECRET, &large), full(large.clone()))).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["body"].as_str().unwrap().len(), large.len());

    let mut raw = Raw::tls(&gateway, "app.test").await;
    let length = 25 * MIB + 1;
    raw.write(format!(
        "POST / HTTP/1.1\r\nHost: app.test\r\nX-Hub-Signature-256: {SIGNED}\r\nContent-Length: {length}\r\n\r\n"
    ))
    .await;
    assert_eq!(raw.head().await.expect("closed instead of 413").status, 413);
}

#[tokio::test]
async fn body_says_less() {
    let origin = Origin::http(echo).await;
    let gateway = gateway(&origin, "", "body = \"1KiB\",").await;
    for mut http in Http::both(&gateway, "app.test").await {
        let body = vec![b'x'; 1025];
        let (pieces, streamed) = channel();
        let send = async {
            // The rest is not waited for.
            drop(pieces.send(Ok(Bytes::from(body.clone()))).await);
            drop(pieces);
        };
        let (reply, ()) = tokio::join!(http.request(delivery(SIGNED, streamed)), send);
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(origin.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_is_told() {
    let origin = Origin::http(echo).await;
    let gateway = gateway(&origin, "", "").await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write(format!(
        "POST / HTTP/1.1\r\nHost: app.test\r\nX-Hub-Signature-256: {SIGNED}\r\nContent-Length: 13\r\n\
         Expect: 100-continue\r\n\r\n"
    ))
    .await;
    assert_eq!(raw.head().await.unwrap().status, 100);
    raw.write(PAYLOAD).await;
    let (head, body) = raw.reply().await.unwrap();
    let seen: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((head.status, seen["body"].as_str()), (200, Some(PAYLOAD)));
    assert_eq!(echoed_once(&seen, "expect"), None);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_asked_for_and_one_that_stops_not_waited_for() {
    let origin = Origin::http(echo).await;
    let gateway = gateway(&origin, "", "body = \"12B\", idle = \"300ms\",").await;
    let head = |more: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: app.test\r\nX-Hub-Signature-256: {SIGNED}\r\n{more}\r\n\r\n"
        )
    };
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write(head("Content-Length: 13\r\nExpect: 100-continue")).await;
    assert_eq!(raw.head().await.unwrap().status, 413);
    for framing in ["Content-Length: 12\r\n\r\nHell", "Transfer-Encoding: chunked\r\n\r\n4\r\nHell"]
    {
        let mut raw = Raw::tls(&gateway, "app.test").await;
        raw.write(head(framing).trim_end()).await;
        assert_eq!(raw.head().await.unwrap().status, 408, "{framing}");
    }
    assert_eq!(origin.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_route_may_answer_deliveries_itself_and_another_be_open() {
    let dir = folder();
    std::fs::write(dir.path().join("secret"), SECRET).unwrap();
    let site = "[site.\"app.test\"]\ntls = \"self-signed\"\n\
         webhook = { provider = \"github\", secrets = [{ file = \"secret\" }] }\nroutes = [\n\
         { path = \"/github\", respond = { status = 202, body = \"taken\" } },\n\
         { path = \"/health\", respond = { status = 200, body = \"ok\" }, webhook = \"off\" },\n]\n";
    let gateway = Gateway::start_in(dir, &config("", site)).await;
    for (mut http, again) in Http::both(&gateway, "app.test").await.into_iter().zip([202, 409]) {
        let reply = http.request(delivery(SIGNED, full(PAYLOAD))).await;
        assert_eq!(reply.status, again, "{}", reply.text());
        assert_eq!(http.get("/health").await.text(), "ok");
        assert_eq!(http.get("/github").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn github_s_addresses_have_a_name() {
    let site = "[site.\"app.test\"]\ntls = \"self-signed\"\nallow = [\"github-hooks\"]\nroutes = [\n\
         { path = \"/*\", respond = { status = 200, body = \"in\" } },\n]\n";
    let server = "trusted_proxies = [\"127.0.0.2\"]";
    let gateway = Gateway::start(&config(server, site)).await;
    let mut proxy = Http::http1_from(&gateway, "app.test", "127.0.0.2").await;
    for (client, expected) in [
        ("192.30.252.44", 200),
        ("140.82.115.1", 200),
        ("9.234.106.50", 200),
        ("2606:50c0::1", 200),
        ("198.51.100.7", 403),
        ("9.234.106.64", 403),
    ] {
        let reply = proxy.request(get_with("/", &[("x-forwarded-for", client)])).await;
        assert_eq!(reply.status, expected, "{client}");
    }
}

#[tokio::test]
async fn without_its_secret_nothing_is_served() {
    let site = |secret: &str| {
        config(
            "",
            &format!(
                "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [{{ path = \"/hook\", to = \"127.0.0.1:9\",\n\
                 webhook = {{ provider = \"github\", secrets = [{secret}] }} }}]\n"
            ),
        )
    };
    let missing = Gateway::fail_in(folder(), &site("{ file = \"no-secret\" }")).await;
    let dir = folder();
    std::fs::write(dir.path().join("empty"), "\n").unwrap();
    let empty = Gateway::fail_in(dir, &site("{ file = \"empty\" }")).await;
    let unset = Gateway::fail_in(folder(), &site("{ env = \"GATEWAY_TEST_UNSET\" }")).await;
    for (failed, sentence) in [
        (missing, "cannot be read"),
        (empty, "is empty. Put the secret there."),
        (unset, "the environment variable `GATEWAY_TEST_UNSET` is not set"),
    ] {
        assert_eq!(failed.status.code(), Some(1));
        assert!(failed.stderr.contains("site `app.test`, route `/hook`: `webhook`: "));
        assert!(failed.stderr.contains(sentence), "{}", failed.stderr);
    }
}
