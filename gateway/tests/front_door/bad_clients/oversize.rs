//! More than anybody needs to say: cookies, and heads of many megabytes, from many at once. The
//! answer is the documented one, and memory is bounded.

use super::Door;
use crate::harness::gateway::Gateway;
use crate::harness::h2_frames::{
    CONTINUATION, END_HEADERS, END_STREAM, HEADERS, Http2Frames, Outcome,
};
use crate::harness::hpack;
use crate::harness::http_client::{Http, get_with};
use crate::harness::memory::{self, MIB};
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::{config, one_site};

/// The longest head.
const CAP: usize = 64 * 1024;

#[tokio::test]
async fn a_cookie_of_any_size_that_fits_is_counted_and_a_larger_one_is_431() {
    let origin = Origin::text("ok").await;
    let limits = "[limit.few]\nrate = \"1/h\"\nburst = 1\nkey = { cookie = \"session\" }\n\n";
    let site = one_site(origin.addr(), "limit = \"few\"");
    let gateway = Gateway::start(&config("", &format!("{limits}{site}"))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = format!("{:?}", http.version());
        let cookie = format!("session={version}{}", "c".repeat(CAP - 2000));
        for expected in [200, 429] {
            let reply = http.request(get_with("/", &[("cookie", &cookie)])).await;
            assert_eq!(reply.status, expected, "a large cookie over {version}");
        }
    }
    let mut raw = Raw::tls(&gateway, "app.test").await;
    let cookie = "c".repeat(CAP);
    raw.write(format!("GET / HTTP/1.1\r\nHost: app.test\r\nCookie: session={cookie}\r\n\r\n"))
        .await;
    let head = raw.head().await.expect("closed without an answer");
    assert_eq!(head.status, 431, "{head:?}");
    let mut frames = Http2Frames::connect(&gateway, "app.test").await;
    let mut block = hpack::encode(&[
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", b"app.test"),
        (b":path", b"/"),
    ]);
    // As browsers do it: a field for each cookie.
    let crumb = format!("session={}", "c".repeat(1000));
    for _ in 0..70 {
        block.extend(hpack::encode(&[(b"cookie", crumb.as_bytes())]));
    }
    let mut pieces = block.chunks(16_000).peekable();
    let mut kind = HEADERS;
    while let Some(piece) = pieces.next() {
        let ended = if pieces.peek().is_none() { END_HEADERS } else { 0 };
        let stream_ended = if kind == HEADERS { END_STREAM } else { 0 };
        frames.send(kind, ended | stream_ended, 1, piece).await;
        kind = CONTINUATION;
    }
    assert_eq!(frames.outcome(1).await, Outcome::Status(431));
    assert_eq!(origin.seen().len(), 2, "one request of each version was within the limit");
}

#[tokio::test]
async fn heads_of_10_mb_from_many_at_once_take_no_memory() {
    let door = Door::start().await;
    let before = memory::resident(door.gateway.pid());
    let mut field = String::from("X-Filler: ");
    field.push_str(&"f".repeat(8000));
    field.push_str("\r\n");
    let many = field.repeat(1250);
    assert!(many.len() > 10_000_000);
    let sending = (0..20).map(|_| async {
        let mut raw = Raw::tls(&door.gateway, "app.test").await;
        raw.write("GET /x HTTP/1.1\r\nHost: app.test\r\n").await;
        // What is refused in the middle is not taken to its end.
        raw.write(&many).await;
        raw.head().await.map(|head| head.status)
    });
    for status in futures_util::future::join_all(sending).await {
        // A client that goes on sending may lose the answer to the connection's end.
        assert!(matches!(status, Some(431) | None), "{status:?}");
    }
    let grown = memory::peak(door.gateway.pid()).saturating_sub(before);
    assert!(grown < 32 * MIB, "200 MB of heads took {grown} bytes");
    door.unharmed().await;
}

#[tokio::test]
async fn a_field_of_10_mb_is_refused_when_64_kib_of_it_are_there() {
    let door = Door::start().await;
    let mut raw = Raw::tls(&door.gateway, "app.test").await;
    raw.write("GET /x HTTP/1.1\r\nHost: app.test\r\nX-Endless: ").await;
    let mut sent = 0;
    // Without a line's end in it, nothing is whole for as long as it is taken.
    while sent < 10_000_000 && raw.write(vec![b'x'; 16 * 1024]).await {
        sent += 16 * 1024;
    }
    let status = raw.head().await.map(|head| head.status);
    assert!(matches!(status, Some(431) | None), "{status:?}");
    door.unharmed().await;
}
