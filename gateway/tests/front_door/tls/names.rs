//! SNI, `Host` and `:authority`: who gets a handshake, and for what.
//!
//! What nginx did: a catch-all server with a certificate and `return 444`, so that scanners got a TLS
//! session before they got nothing.

use hyper::StatusCode;
use hyper::header::HOST;
use tokio_rustls::rustls::AlertDescription;

use crate::harness::gateway::Gateway;
use crate::harness::h2_frames::{self, Http2Frames, Outcome};
use crate::harness::http_client::{Http, get, get_with};
use crate::harness::raw_client::Raw;
use crate::harness::replies::empty;
use crate::harness::tls_client::Tls;
use crate::harness::{answering_site, answering_site_with, config};

async fn two_sites() -> Gateway {
    let one = answering_site_with(
        "one.test",
        "tls = \"self-signed\"\naliases = [\"alias.test\", \"*.wild.test\"]",
    );
    let two = answering_site("two.test");
    Gateway::start(&config("", &format!("{one}\n{two}"))).await
}

#[tokio::test]
async fn an_unknown_name_gets_an_alert_and_no_certificate() {
    let gateway = two_sites().await;
    for name in ["unknown.test", "a.b.wild.test", "wild.test", "sub.one.test"] {
        for tls in [Tls::trusting(&gateway.local_ca()), Tls::trusting(&gateway.local_ca()).tls12()]
        {
            let refused = tls.refused(gateway.https(), name).await;
            assert_eq!(
                refused.alert(),
                Some(AlertDescription::UnrecognisedName),
                "{name}: {}",
                refused.error
            );
            assert!(!refused.saw_certificate, "{name} was shown a certificate");
        }
    }
    let mut http = Http::http2(&gateway, "one.test").await;
    assert_eq!(http.get("/").await.text(), "one.test");
}

#[tokio::test]
async fn an_unknown_name_fails_the_handshake_whatever_unknown_host_says() {
    for answer in ["\"close\"", "421", "404"] {
        let server = format!("unknown_host = {answer}");
        let gateway = Gateway::start(&config(&server, &answering_site("app.test"))).await;
        let tls = Tls::trusting(&gateway.local_ca());
        let refused = tls.refused(gateway.https(), "unknown.test").await;
        assert_eq!(
            refused.alert(),
            Some(AlertDescription::UnrecognisedName),
            "unknown_host = {answer}: {}",
            refused.error
        );
        assert!(!refused.saw_certificate);
    }
}

#[tokio::test]
async fn no_name_at_all_is_refused() {
    let gateway = two_sites().await;
    let tls = Tls::trusting(&gateway.local_ca()).without_name();
    let refused = tls.refused(gateway.https(), "one.test").await;
    assert!(refused.alert().is_some(), "no alert, but {}", refused.error);
    assert!(!refused.saw_certificate, "a client without a name was shown a certificate");
}

#[tokio::test]
async fn no_name_is_served_where_a_site_is_named_by_its_address() {
    let sites = [answering_site("one.test"), answering_site("127.0.0.1")];
    let gateway = Gateway::start(&config("", &sites.join("\n"))).await;
    // An address is never sent as SNI (RFC 6066, section 3).
    for mut http in Http::both(&gateway, "127.0.0.1").await {
        assert_eq!(http.get("/").await.text(), "127.0.0.1");
    }
}

#[tokio::test]
async fn the_site_of_every_name_takes_any_name_and_none() {
    let sites = [answering_site("one.test"), answering_site("*")];
    let gateway = Gateway::start(&config("", &sites.join("\n"))).await;
    let tls = Tls::trusting(&gateway.local_ca()).without_check();
    let mut http = Http::connect(&tls, gateway.https(), "whatever.test").await;
    assert_eq!(http.get("/").await.text(), "*");
    let tls = Tls::trusting(&gateway.local_ca()).without_check().without_name();
    let mut http = Http::connect(&tls, gateway.https(), "nameless.test").await;
    assert_eq!(http.get("/").await.text(), "*");
    let mut http = Http::http2(&gateway, "one.test").await;
    assert_eq!(http.get("/").await.text(), "one.test", "the exact name comes first");
}

#[tokio::test]
async fn names_are_compared_without_regard_to_case() {
    let gateway = two_sites().await;
    let mut http = Http::http1(&gateway, "ONE.Test").await;
    assert_eq!(http.get("/").await.text(), "one.test");
    let mut http = Http::http1(&gateway, "A.Wild.Test").await;
    assert_eq!(http.get("/").await.text(), "one.test");
}

#[tokio::test]
async fn a_host_of_the_same_site_is_served_on_any_of_its_names() {
    let gateway = two_sites().await;
    let mut http = Http::http1(&gateway, "one.test").await;
    for host in ["alias.test", "x.wild.test", "one.test:443", "One.Test"] {
        let reply = http.request(get_with("/", &[("host", host)])).await;
        assert_eq!(reply.status, StatusCode::OK, "Host: {host}");
    }
    let mut http = Http::http2(&gateway, "x.wild.test").await;
    let reply = http.request(get("https://alias.test/")).await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn a_host_of_another_site_is_misdirected() {
    let gateway = two_sites().await;
    for host in ["two.test", "unknown.test"] {
        let mut http = Http::http1(&gateway, "one.test").await;
        let reply = http.request(get_with("/", &[("host", host)])).await;
        assert_eq!(reply.status, StatusCode::MISDIRECTED_REQUEST, "HTTP/1.1 Host: {host}");
        assert!(!reply.text().contains("two.test"), "the other site answered: {}", reply.text());

        let mut http = Http::http2(&gateway, "one.test").await;
        let reply = http.request(get(&format!("https://{host}/"))).await;
        assert_eq!(reply.status, StatusCode::MISDIRECTED_REQUEST, "HTTP/2 :authority {host}");
        let reply = http.get("/").await;
        assert_eq!(reply.status, StatusCode::OK, "the connection outlives a misdirected request");
    }
}

#[tokio::test]
async fn host_beside_authority_does_not_lead_elsewhere() {
    let gateway = two_sites().await;
    let mut frames = Http2Frames::connect(&gateway, "one.test").await;
    let mut fields = h2_frames::get("one.test", "/").to_vec();
    fields.push(("host", "two.test"));
    frames.request(1, &fields, h2_frames::END_STREAM).await;
    // RFC 9113, section 8.3.1: a differing Host makes the request malformed; the authority alone
    // may be believed instead, but never Host.
    let outcome = frames.outcome(1).await;
    assert!(
        outcome.is_refusal() || outcome == Outcome::Status(200),
        "unexpected for a Host beside :authority: {outcome:?}"
    );
    if outcome == Outcome::Status(200) {
        let body = frames.next().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&body.payload), "one.test");
    }
}

#[tokio::test]
async fn an_absolute_target_of_another_site_is_misdirected() {
    let gateway = two_sites().await;
    let mut raw = Raw::tls(&gateway, "one.test").await;
    raw.write("GET https://two.test/ HTTP/1.1\r\nHost: one.test\r\n\r\n").await;
    // RFC 9112, section 3.2.2: the target's host counts, and not Host.
    let head = raw.head().await;
    let status = head.as_ref().map(|head| head.status);
    assert!(matches!(status, None | Some(400 | 421)), "{head:?}");
}

#[tokio::test]
async fn plain_http_on_the_tls_listener_and_tls_on_the_plain_one_harm_nobody() {
    let gateway = two_sites().await;
    let mut raw = Raw::plain(gateway.https()).await;
    raw.write("GET / HTTP/1.1\r\nHost: one.test\r\n\r\n").await;
    let answer = raw.rest().await;
    assert!(!String::from_utf8_lossy(&answer).contains("one.test"), "served without TLS");

    let refused = Tls::trusting(&gateway.local_ca()).refused(gateway.http(), "one.test").await;
    assert!(refused.alert().is_none(), "the plain listener speaks TLS");

    let mut http = Http::http1(&gateway, "one.test").await;
    let request = hyper::Request::get("/").header(HOST, "one.test").body(empty()).unwrap();
    assert_eq!(http.request(request).await.status, StatusCode::OK);
}
