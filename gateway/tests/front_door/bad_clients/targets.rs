//! Request targets of every form (RFC 9112, section 3.2).

use super::Door;
use crate::harness::origin::echoed;
use crate::harness::raw_client::Raw;

#[tokio::test]
async fn an_absolute_target_of_this_site_is_served() {
    let door = Door::start().await;
    let mut raw = Raw::tls(&door.gateway, "app.test").await;
    raw.write("GET https://app.test/a?b HTTP/1.1\r\nHost: app.test\r\n\r\n").await;
    let (head, body) = raw.reply().await.expect("closed without an answer");
    assert_eq!(head.status, 200, "{head:?}");
    let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen["target"], "/a?b", "the origin is asked in origin form");
    assert_eq!(echoed(&seen, "host"), ["app.test"]);
    door.alive().await;
}

#[tokio::test]
async fn the_host_of_an_absolute_target_counts_and_not_host() {
    let door = Door::start().await;
    let mut raw = Raw::tls(&door.gateway, "app.test").await;
    raw.write("GET https://app.test/x HTTP/1.1\r\nHost: other.test\r\n\r\n").await;
    if let Some((head, body)) = raw.reply().await {
        match head.status {
            400 | 421 => {}
            200 => {
                let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(echoed(&seen, "host"), ["app.test"], "{seen}");
                assert_eq!(echoed(&seen, "x-forwarded-host"), ["app.test"], "{seen}");
            }
            other => panic!("{other}: {head:?}"),
        }
    }
    door.alive().await;
}

#[tokio::test]
async fn the_gateway_is_nobody_s_forward_proxy() {
    let door = Door::start().await;
    for line in [
        "GET http://other.test/x HTTP/1.1",
        "GET https://other.test/x HTTP/1.1",
        "GET http://127.0.0.1:1/x HTTP/1.1",
        "GET ftp://app.test/x HTTP/1.1",
        "CONNECT other.test:443 HTTP/1.1",
        "CONNECT 127.0.0.1:22 HTTP/1.1",
        "CONNECT app.test:443 HTTP/1.1",
    ] {
        let (head, mut raw) = door.answer_to(format!("{line}\r\nHost: app.test\r\n\r\n")).await;
        if let Some(head) = head {
            if !matches!(head.status, 400 | 403 | 404 | 405 | 421 | 501) {
                door.complain(format!("{line:?} was answered with {}", head.status));
            }
            if line.starts_with("CONNECT") {
                // What follows is no tunnel, and no request either unless the connection goes on.
                raw.write("GET /tunnelled HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n")
                    .await;
                raw.rest().await;
            }
        }
    }
    let seen = door.origin.seen();
    door.alive().await;
    let proxied: Vec<_> = seen.iter().filter(|seen| *seen != "GET /tunnelled").collect();
    assert!(proxied.is_empty(), "the origin saw {proxied:?}");
}

#[tokio::test]
async fn the_asterisk_is_for_options_only() {
    let door = Door::start().await;
    door.refuses(
        "GET *",
        "GET * HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n",
        &[400, 404],
    )
    .await;
    let options = "OPTIONS * HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";
    let (head, _) = door.answer_to(options).await;
    let status = head.as_ref().map(|head| head.status);
    assert!(matches!(status, Some(200 | 204 | 400 | 404 | 405 | 501)), "{head:?}");
    door.alive().await;
}

#[tokio::test]
async fn trace_does_not_echo_what_the_gateway_added_or_the_client_s_secrets() {
    let door = Door::start().await;
    let request =
        "TRACE /x HTTP/1.1\r\nHost: app.test\r\nCookie: secret\r\nConnection: close\r\n\r\n";
    let (head, mut raw) = door.answer_to(request).await;
    let body = String::from_utf8_lossy(&raw.rest().await).into_owned();
    if head.is_some_and(|head| head.status == 200) {
        let is_message = body.contains("message/http");
        assert!(!is_message, "the gateway answers TRACE with the request:\n{body}");
    }
    door.alive().await;
}

#[tokio::test]
async fn encoded_slashes_and_dots_do_not_lead_out_of_a_route() {
    let door = Door::start().await;
    for path in ["/..", "/../..", "/a/../../x", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc"] {
        let mut raw = Raw::tls(&door.gateway, "app.test").await;
        raw.write(format!("GET {path} HTTP/1.1\r\nHost: app.test\r\n\r\n")).await;
        let answer = raw.reply().await;
        let status = answer.as_ref().map(|(head, _)| head.status);
        assert!(matches!(status, None | Some(200 | 400 | 403 | 404)), "{path}: {status:?}");
    }
    door.alive().await;
}

#[tokio::test]
async fn targets_with_bad_escapes_are_refused_or_passed_as_they_are() {
    let door = Door::start().await;
    for path in ["/%", "/%zz", "/%4", "/a%00b", "/%ff%fe", "/a%0d%0aX-Evil:%201"] {
        let mut raw = Raw::tls(&door.gateway, "app.test").await;
        raw.write(format!("GET {path} HTTP/1.1\r\nHost: app.test\r\n\r\n")).await;
        let Some((head, body)) = raw.reply().await else { continue };
        match head.status {
            400 | 403 | 404 => {}
            200 => {
                let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(seen["target"], path, "the target was changed on its way");
                assert_eq!(echoed(&seen, "x-evil"), Vec::<String>::new());
            }
            other => panic!("{path}: {other}: {head:?}"),
        }
    }
    door.alive().await;
}
