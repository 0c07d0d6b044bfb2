//! Origins whose answers break off, or are no answers.

use hyper::StatusCode;
use tokio::io::AsyncWriteExt;

use super::Beside;
use crate::harness::gateway::Gateway;
use crate::harness::h2_frames::{self, DATA, END_STREAM, Http2Frames, RST_STREAM};
use crate::harness::http_client::get;
use crate::harness::origin::{Origin, read_head};
use crate::harness::raw_client::Raw;
use crate::harness::{config, one_site};

async fn answering(answer: &'static [u8]) -> Origin {
    Origin::raw(move |mut stream, _| async move {
        if read_head(&mut stream).await.is_some() {
            stream.write_all(answer).await.unwrap();
        }
    })
    .await
}

const BROKEN_OFF: [(&str, &[u8]); 3] = [
    ("a body shorter than its length", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"),
    (
        "chunks without the last one",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
    ),
    (
        "a chunk that is cut off",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nonly this",
    ),
];

#[tokio::test]
async fn a_body_that_breaks_off_does_not_end_cleanly_at_a_real_client() {
    for (what, answer) in BROKEN_OFF {
        let origin = answering(answer).await;
        let beside = Beside::start(origin.addr()).await;
        for mut http in beside.both().await {
            let version = http.version();
            match http.send(get("/broken/x")).await {
                Err(_) => {}
                Ok(response) if response.status() == StatusCode::BAD_GATEWAY => {}
                Ok(response) => {
                    let reply = crate::harness::replies::Reply::read(response).await;
                    assert!(
                        reply.is_err(),
                        "{what} over {version:?} was taken for whole: {reply:?}"
                    );
                }
            }
        }
        let record = beside.gateway.record_of("/broken/x").await;
        assert!(record["error"].is_string(), "{what}: the log does not say so: {record}");
        beside.was_unaffected().await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_breaks_off_on_http1_bytes() {
    for (what, answer) in BROKEN_OFF {
        let origin = answering(answer).await;
        let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
        let mut raw = Raw::tls(&gateway, "app.test").await;
        raw.write("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n").await;
        let Some(head) = raw.head().await else { continue };
        let body = raw.rest().await;
        if head.status == 502 {
            continue;
        }
        assert_eq!(head.status, 200, "{what}: {head:?}");
        let text = String::from_utf8_lossy(&body);
        assert!(!text.ends_with("0\r\n\r\n"), "{what}: a last chunk was made up: {text:?}");
        if let Some(length) = head.field("content-length") {
            assert_eq!(length, "1000", "{what}");
            assert!(body.len() < 1000, "{what}: the rest was made up: {text:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_resets_its_http2_stream_and_no_other() {
    for (what, answer) in BROKEN_OFF {
        let origin = answering(answer).await;
        let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
        let mut frames = Http2Frames::connect(&gateway, "app.test").await;
        for stream in [1, 3] {
            frames.request(stream, &h2_frames::get("app.test", "/"), END_STREAM).await;
            loop {
                let frame = frames.next().await.unwrap_or_else(|| {
                    panic!("{what}: the connection ended instead of stream {stream}")
                });
                if frame.stream != stream {
                    continue;
                }
                let is_end = frame.flags & END_STREAM != 0;
                assert!(frame.kind != DATA || !is_end, "{what}: the stream ended cleanly");
                if frame.kind == RST_STREAM {
                    assert_ne!(frame.payload, [0; 4], "{what}: the reset says NO_ERROR");
                    break;
                }
                if is_end {
                    break; // The head alone: 502, before anything was sent.
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_http_is_a_502() {
    let long = Box::leak(
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(4 << 20)).into_boxed_str(),
    );
    let cases: [(&str, &'static [u8]); 8] = [
        ("noise", b"\x00\xff\xfe\x01 nonsense \r\n\r\n more nonsense\r\n\r\n"),
        ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        ("a status that is none", b"HTTP/1.1 abc OK\r\n\r\n"),
        ("a header without a colon", b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n"),
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\nokno"),
        ("a length that is none", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok"),
        ("a head without an end", long.as_bytes()),
        ("a request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ];
    for (what, answer) in cases {
        let origin = Origin::raw(move |mut stream, _| async move {
            if read_head(&mut stream).await.is_some() {
                // The gateway may well hang up in the middle of it.
                let _ = stream.write_all(answer).await;
            }
        })
        .await;
        let beside = Beside::start(origin.addr()).await;
        for mut http in beside.both().await {
            let reply = http.get("/broken/x").await;
            assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{what} over {:?}", http.version());
            assert!(!reply.text().contains("nonsense"), "{what} was passed on");
        }
        beside.was_unaffected().await;
    }
}

#[tokio::test]
async fn a_chunk_size_that_is_none_breaks_the_body_off() {
    let origin = answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nworld\r\n0\r\n\r\n",
    )
    .await;
    let beside = Beside::start(origin.addr()).await;
    for mut http in beside.both().await {
        let reply = http.try_request(get("/broken/x")).await;
        let is_whole = reply.as_ref().is_ok_and(|reply| reply.status == StatusCode::OK);
        assert!(!is_whole, "over {:?}: {reply:?}", http.version());
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn a_header_that_could_split_an_answer_does_not() {
    let origin = answering(
        b"HTTP/1.1 200 OK\r\nX-A: one\rSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let beside = Beside::start(origin.addr()).await;
    for mut http in beside.both().await {
        if let Ok(reply) = http.try_request(get("/broken/x")).await {
            assert_eq!(reply.header("set-cookie"), None, "over {:?}", http.version());
        }
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_is_a_502() {
    let origin = answering(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nnoise",
    )
    .await;
    let beside = Beside::start(origin.addr()).await;
    for mut http in beside.both().await {
        let reply = http.try_request(get("/broken/x")).await;
        if let Ok(reply) = reply {
            assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "over {:?}", http.version());
        }
    }
    beside.was_unaffected().await;
}
