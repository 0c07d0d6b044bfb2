//! Heads that are malformed, or too large.

use super::Door;
use crate::harness::gateway::Gateway;
use crate::harness::raw_client::Raw;
use crate::harness::{answering_site, config};

#[tokio::test]
async fn fields_that_are_malformed_are_refused() {
    let door = Door::start().await;
    for (what, fields) in [
        ("a space before the colon", "X-Space : 1\r\n"),
        ("a length with a space before the colon", "Content-Length : 5\r\n"),
        ("a tab before the colon", "X-Tab\t: 1\r\n"),
        ("no colon", "nonsense\r\n"),
        ("no name", ": 1\r\n"),
        ("a space in the name", "X Y: 1\r\n"),
        ("a NUL in the value", "X-Nul: a\0b\r\n"),
        ("a NUL in the name", "X\0Y: 1\r\n"),
        ("a bare CR in the value", "X-Cr: a\rb\r\n"),
        ("a name that is not ASCII", "X-\u{e9}: 1\r\n"),
        ("a second Host", "Host: app.test\r\n"),
        ("a second, other Host", "Host: other.test\r\n"),
        ("a fold in the first field", " folded: 1\r\n"),
    ] {
        let request = format!("GET /x HTTP/1.1\r\nHost: app.test\r\n{fields}\r\n");
        let request = match what {
            "a fold in the first field" => {
                format!("GET /x HTTP/1.1\r\n{fields}Host: app.test\r\n\r\n")
            }
            _ => request,
        };
        door.refuses(what, request, &[400]).await;
    }
    door.unharmed().await;
}

#[tokio::test]
async fn a_folded_field_is_refused_or_unfolded() {
    let door = Door::start().await;
    let request = "GET /x HTTP/1.1\r\nHost: app.test\r\nX-Fold: one\r\n X-Real-IP: 6.6.6.6\r\n\r\n";
    let mut raw = Raw::tls(&door.gateway, "app.test").await;
    raw.write(request).await;
    // RFC 9112, section 5.2.
    if let Some((head, body)) = raw.reply().await {
        match head.status {
            400 => {}
            200 => {
                let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
                let real = crate::harness::origin::echoed(&seen, "x-real-ip");
                assert_eq!(real, ["127.0.0.1"], "the fold became a field: {seen}");
            }
            other => panic!("{other}: {head:?}"),
        }
    }
    door.alive().await;
}

#[tokio::test]
async fn a_host_that_is_missing_or_none_is_refused() {
    let door = Door::start().await;
    for (what, fields) in [
        ("no Host", ""),
        ("an empty Host", "Host:\r\n"),
        ("a Host with a path", "Host: app.test/x\r\n"),
        ("a Host with a user", "Host: user@app.test\r\n"),
        ("a Host with a space", "Host: app.test other.test\r\n"),
        ("a Host list", "Host: app.test, other.test\r\n"),
        ("a Host with a port that is none", "Host: app.test:port\r\n"),
    ] {
        door.refuses(what, format!("GET /x HTTP/1.1\r\n{fields}\r\n"), &[400, 421]).await;
    }
    door.unharmed().await;
}

#[tokio::test]
async fn request_lines_that_are_malformed_are_refused() {
    let door = Door::start().await;
    for line in [
        "GET /x",
        "GET",
        "GET  HTTP/1.1",
        "G@T /x HTTP/1.1",
        "GET /x HTTP/1.1 extra",
        "GET /x y HTTP/1.1",
        "GET /x#fragment HTTP/1.1",
        "GET /x HTTP/9.9",
        "GET /x HTTP/1",
        "GET /x http/1.1",
        "GET /x FTP/1.1",
        "GET /x\0y HTTP/1.1",
        " GET /x HTTP/1.1",
    ] {
        let request = format!("{line}\r\nHost: app.test\r\n\r\n");
        door.refuses(line, request, &[400, 501, 505]).await;
    }
    for bytes in [
        b"\x00\x01\x02\x03\r\n\r\n".as_slice(),
        b"\xff\xfe\xfd\r\nHost: app.test\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
    ] {
        door.refuses("bytes that are no request", bytes, &[400, 405, 501, 505]).await;
    }
    door.unharmed().await;
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let door = Door::start().await;
    let many: String = (0..20_000).map(|number| format!("X-{number}: 1\r\n")).collect();
    let one = format!("X-Large: {}\r\n", "x".repeat(1 << 20));
    let name = format!("{}: 1\r\n", "X".repeat(1 << 20));
    for (what, fields) in
        [("20,000 fields", many), ("a field of 1 MiB", one), ("a name of 1 MiB", name)]
    {
        let request = format!("GET /x HTTP/1.1\r\nHost: app.test\r\n{fields}\r\n");
        door.refuses(what, request, &[400, 431]).await;
    }
    let target = format!("GET /{} HTTP/1.1\r\nHost: app.test\r\n\r\n", "x".repeat(1 << 20));
    door.refuses("a target of 1 MiB", target, &[400, 414, 431]).await;
    door.unharmed().await;
}

#[tokio::test]
async fn a_head_of_the_usual_large_size_passes() {
    let door = Door::start().await;
    let cookie = format!("Cookie: {}\r\n", "c".repeat(7_000));
    let many: String = (0..60).map(|number| format!("X-{number}: value\r\n")).collect();
    let request = format!("GET /x HTTP/1.1\r\nHost: app.test\r\n{cookie}{many}\r\n");
    let (head, _) = door.answer_to(request).await;
    assert_eq!(head.map(|head| head.status), Some(200));
}

#[tokio::test]
async fn http_1_0_is_served_and_closed_and_gets_no_chunks() {
    let door = Door::start().await;
    let mut raw = Raw::tls(&door.gateway, "app.test").await;
    raw.write("GET /x HTTP/1.0\r\nHost: app.test\r\n\r\n").await;
    let head = raw.head().await.expect("closed without an answer");
    assert_eq!(head.status, 200, "{head:?}");
    assert_eq!(head.field("transfer-encoding"), None, "HTTP/1.0 knows no chunks: {head:?}");
    let body = raw.rest().await;
    let seen: Result<serde_json::Value, _> = serde_json::from_slice(&body);
    assert!(
        seen.is_ok(),
        "the body is not what the origin sent: {:?}",
        String::from_utf8_lossy(&body)
    );
    door.alive().await;
}

#[tokio::test]
async fn http_1_0_gets_a_chunked_answer_without_its_chunks() {
    use crate::harness::gateway::Gateway;
    use crate::harness::origin::Origin;
    use crate::harness::replies::patterned;
    use crate::harness::{config, one_site};

    let origin = Origin::http(async |_| hyper::Response::new(patterned(200_000))).await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write("GET /x HTTP/1.0\r\nHost: app.test\r\n\r\n").await;
    let head = raw.head().await.expect("closed without an answer");
    assert_eq!(head.status, 200, "{head:?}");
    assert_eq!(head.field("transfer-encoding"), None, "{head:?}");
    let body = raw.rest().await;
    let mut check = crate::harness::pattern::Check::default();
    check.take(&body);
    assert_eq!(check.total(), 200_000, "the end of the connection is the end of the body");
}

#[tokio::test]
async fn empty_lines_before_a_request_are_forgiven() {
    let door = Door::start().await;
    // RFC 9112, section 2.2.
    let (head, _) = door.answer_to("\r\nGET /x HTTP/1.1\r\nHost: app.test\r\n\r\n").await;
    let status = head.as_ref().map(|head| head.status);
    assert!(matches!(status, Some(200 | 400)), "{head:?}");
    door.alive().await;
}

/// However it arrives: here in one write, so that it is all there before anybody has looked at it.
#[tokio::test]
async fn a_head_of_64_kib_passes_and_one_byte_more_does_not() {
    let gateway = Gateway::start(&config("", &answering_site("app.test"))).await;
    for (length, status) in [(65_536, 200), (65_537, 431), (70_000, 431)] {
        let frame = "GET / HTTP/1.1\r\nHost: app.test\r\nX-Long: \r\n\r\n".len();
        let long = "x".repeat(length - frame);
        let mut raw = Raw::tls(&gateway, "app.test").await;
        raw.write(format!("GET / HTTP/1.1\r\nHost: app.test\r\nX-Long: {long}\r\n\r\n")).await;
        let head = raw.head().await.expect("closed instead of an answer");
        assert_eq!(head.status, status, "a head of {length} bytes: {head:?}");
    }
}
