//! Requests about whose end two readers could differ: the stuff of request smuggling (RFC 9112,
//! section 11.2).

use super::Door;

const HOST: &str = "Host: app.test\r\n";
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";

#[tokio::test]
async fn a_length_beside_chunks_smuggles_nothing() {
    let door = Door::start().await;
    let orders = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ];
    for order in orders {
        let request = format!("POST /x HTTP/1.1\r\n{HOST}{order}\r\n0\r\n\r\n{SMUGGLED}");
        let (head, mut raw) = door.answer_to(request).await;
        if let Some(head) = &head {
            // RFC 9112, section 6.3: chunks win, or 400; the connection closes either way.
            assert!(matches!(head.status, 200 | 400), "{head:?}");
        }
        let rest = String::from_utf8_lossy(&raw.rest().await).into_owned();
        assert!(!rest.contains("HTTP/1.1 200"), "the smuggled request was answered:\n{rest}");
    }
    let seen = door.origin.seen();
    assert!(!seen.iter().any(|seen| seen.contains("smuggled")), "the origin saw {seen:?}");
    door.alive().await;
}

#[tokio::test]
async fn lengths_that_differ_or_are_none_are_refused() {
    let door = Door::start().await;
    for lengths in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: five\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5\r\nContent-Length:\r\n",
    ] {
        let request = format!("POST /x HTTP/1.1\r\n{HOST}{lengths}\r\nhello{SMUGGLED}");
        door.refuses_and_closes(lengths, request, &[400, 413]).await;
    }
    door.unharmed().await;
}

#[tokio::test]
async fn codings_that_are_not_understood_are_refused() {
    let door = Door::start().await;
    for coding in [
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked, identity\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
    ] {
        let request = format!("POST /x HTTP/1.1\r\n{HOST}{coding}\r\n0\r\n\r\n{SMUGGLED}");
        door.refuses_and_closes(coding, request, &[400, 501]).await;
    }
    door.unharmed().await;
}

#[tokio::test]
async fn chunks_in_http_1_0_are_refused_or_end_the_connection() {
    let door = Door::start().await;
    let request = format!(
        "POST /x HTTP/1.0\r\n{HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\n{SMUGGLED}"
    );
    // RFC 9112, section 6.1: its framing is faulty; nothing after it may be taken for a request.
    let (_, mut raw) = door.answer_to(request).await;
    raw.rest().await;
    let seen = door.origin.seen();
    assert!(!seen.iter().any(|seen| seen.contains("smuggled")), "the origin saw {seen:?}");
    door.alive().await;
}

#[tokio::test]
async fn chunks_that_are_malformed_end_the_request() {
    let door = Door::start().await;
    for chunks in [
        "zz\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5\r\nhello world\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
    ] {
        let request = format!(
            "POST /x HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n{chunks}{SMUGGLED}"
        );
        door.refuses_and_closes(chunks, request, &[400, 413, 502]).await;
    }
    door.alive().await;
}

#[tokio::test]
async fn chunk_extensions_and_trailers_without_end_are_cut_off() {
    let door = Door::start_with("header = \"2s\"").await;
    let head = format!("POST /x HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n");
    let long = "e".repeat(1 << 20);
    for (what, body) in [
        ("an extension of a mebibyte", format!("5;{long}\r\nhello\r\n0\r\n\r\n")),
        ("a trailer of a mebibyte", format!("5\r\nhello\r\n0\r\nX-Long: {long}\r\n\r\n")),
        ("a chunk size of a mebibyte of zeros", format!("{}5\r\nhello\r\n", "0".repeat(1 << 20))),
    ] {
        let (answer, _) = door.answer_to(format!("{head}{body}")).await;
        let status = answer.as_ref().map(|head| head.status);
        assert!(matches!(status, None | Some(200 | 400 | 413 | 431 | 502)), "{what}: {answer:?}");
    }
    door.alive().await;
}

#[tokio::test]
async fn trailers_do_not_become_headers() {
    let door = Door::start().await;
    let request = format!(
        "POST /x HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nTrailer: X-Real-IP\r\n\r\n\
         5\r\nhello\r\n0\r\nX-Real-IP: 6.6.6.6\r\nX-Trailer: x\r\n\r\n"
    );
    let mut raw = crate::harness::raw_client::Raw::tls(&door.gateway, "app.test").await;
    raw.write(request).await;
    let (head, body) = raw.reply().await.expect("closed instead of an answer");
    assert_eq!(head.status, 200, "{head:?}");
    let seen = String::from_utf8_lossy(&body);
    assert!(!seen.contains("6.6.6.6"), "{seen}");
    door.alive().await;
}

#[tokio::test]
async fn requests_sent_in_one_go_are_answered_in_their_order() {
    let door = Door::start().await;
    let mut raw = crate::harness::raw_client::Raw::tls(&door.gateway, "app.test").await;
    let requests: String = (0..10)
        .map(|number| format!("POST /{number} HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\nok"))
        .collect();
    raw.write(requests).await;
    for number in 0..10 {
        let (head, body) = raw.reply().await.expect("closed before all were answered");
        assert_eq!(head.status, 200, "{head:?}");
        let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(seen["target"], format!("/{number}"));
        assert_eq!(seen["body"], "ok");
    }
}
