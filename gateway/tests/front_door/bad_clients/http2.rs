//! HTTP/2 requests and frames that no client should send (RFC 9113, section 8.1.1 and 10.5).

use super::Door;
use crate::harness::h2_frames::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, Http2Frames, Outcome, RST_STREAM,
    SETTINGS,
};
use crate::harness::hpack;
use crate::harness::memory::{self, MIB};

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "https");
const AUTHORITY: (&str, &str) = (":authority", "app.test");
const PATH: (&str, &str) = (":path", "/x");

async fn outcome(door: &Door, fields: &[(&str, &str)]) -> Outcome {
    let mut frames = Http2Frames::connect(&door.gateway, "app.test").await;
    frames.request(1, fields, END_STREAM).await;
    frames.outcome(1).await
}

#[tokio::test]
async fn a_request_by_hand_is_served() {
    // What the other tests here vary is itself in order.
    let door = Door::start().await;
    let fields = [METHOD, SCHEME, AUTHORITY, PATH, ("x-fine", "1")];
    assert_eq!(outcome(&door, &fields).await, Outcome::Status(200));
}

#[tokio::test]
async fn requests_that_are_malformed_are_refused() {
    let door = Door::start().await;
    let base = [METHOD, SCHEME, AUTHORITY, PATH];
    let with = |field| [&base[..], &[field]].concat();
    let cases = [
        ("no :method", vec![SCHEME, AUTHORITY, PATH]),
        ("no :path", vec![METHOD, SCHEME, AUTHORITY]),
        ("no :scheme", vec![METHOD, AUTHORITY, PATH]),
        ("an empty :path", vec![METHOD, SCHEME, AUTHORITY, (":path", "")]),
        ("neither :authority nor Host", vec![METHOD, SCHEME, PATH]),
        ("two :path", with((":path", "/y"))),
        ("two :authority", with((":authority", "other.test"))),
        ("an unknown pseudo-field", with((":evil", "1"))),
        ("a pseudo-field of responses", with((":status", "200"))),
        ("a pseudo-field behind a field", vec![METHOD, SCHEME, AUTHORITY, ("x", "1"), PATH]),
        ("a name in upper case", with(("X-Upper", "1"))),
        ("a name with a space", with(("x y", "1"))),
        ("a name with a colon", with(("x:y", "1"))),
        ("a line end in a value", with(("x-split", "1\r\nx-evil: 1"))),
        ("a line feed in a value", with(("x-split", "1\nx-evil: 1"))),
        ("a NUL in a value", with(("x-nul", "a\0b"))),
        ("a line end in a name", with(("x-a: 1\r\nx-evil", "1"))),
        ("Connection", with(("connection", "close"))),
        ("Transfer-Encoding", with(("transfer-encoding", "chunked"))),
        ("Upgrade", with(("upgrade", "websocket"))),
        ("Keep-Alive", with(("keep-alive", "timeout=5"))),
        (
            "a line end in :path",
            vec![METHOD, SCHEME, AUTHORITY, (":path", "/x HTTP/1.1\r\nx-evil: 1")],
        ),
        ("a space in :path", vec![METHOD, SCHEME, AUTHORITY, (":path", "/x y")]),
        ("a :path without a slash", vec![METHOD, SCHEME, AUTHORITY, (":path", "x")]),
        (
            "a line end in :method",
            vec![(":method", "GET / HTTP/1.1\r\nx: y"), SCHEME, AUTHORITY, PATH],
        ),
        (
            "a line end in :authority",
            vec![METHOD, SCHEME, (":authority", "app.test\r\nx: y"), PATH],
        ),
        ("a user in :authority", vec![METHOD, SCHEME, (":authority", "user@app.test"), PATH]),
        ("a path in :authority", vec![METHOD, SCHEME, (":authority", "app.test/x"), PATH]),
    ];
    let mut wrong = Vec::new();
    for (what, fields) in cases {
        let outcome = outcome(&door, &fields).await;
        if !outcome.is_refusal() {
            wrong.push(format!("{what}: {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "malformed requests that were not refused: {wrong:#?}");
    door.unharmed().await;
}

#[tokio::test]
async fn te_is_for_trailers_only() {
    let door = Door::start().await;
    let fields = [METHOD, SCHEME, AUTHORITY, PATH, ("te", "trailers")];
    assert_eq!(outcome(&door, &fields).await, Outcome::Status(200));
    door.alive().await;
}

#[tokio::test]
async fn connect_is_refused() {
    let door = Door::start().await;
    let plain = [(":method", "CONNECT"), (":authority", "app.test:22")];
    let extended = [(":method", "CONNECT"), (":protocol", "websocket"), SCHEME, AUTHORITY, PATH];
    for fields in [plain.as_slice(), &extended] {
        let outcome = outcome(&door, fields).await;
        let refused = outcome.is_refusal() || matches!(outcome, Outcome::Status(501));
        assert!(refused, "CONNECT: {outcome:?}");
    }
    door.unharmed().await;
}

#[tokio::test]
async fn a_body_that_is_not_as_long_as_it_says_is_refused() {
    let door = Door::start().await;
    for (length, body) in [("5", "hello, and more"), ("50", "hello"), ("0", "hello")] {
        let mut frames = Http2Frames::connect(&door.gateway, "app.test").await;
        let fields = [(":method", "POST"), SCHEME, AUTHORITY, PATH, ("content-length", length)];
        frames.request(1, &fields, 0).await;
        frames.send(DATA, END_STREAM, 1, body.as_bytes()).await;
        let outcome = frames.outcome(1).await;
        // RFC 9113, section 8.1.1. A 502 would say that the origin was at fault.
        assert!(outcome.is_refusal(), "length {length} with {body:?}: {outcome:?}");
    }
    door.alive().await;
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_the_connection() {
    let door = Door::start().await;
    let request = hpack::encode(&[
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", b"app.test"),
        (b":path", b"/x"),
    ]);
    let ended = END_HEADERS | END_STREAM;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("data on stream 0", h2_frames::encode(DATA, 0, 0, b"x")),
        ("data on an idle stream", h2_frames::encode(DATA, 0, 5, b"x")),
        ("a request on an even stream", h2_frames::encode(HEADERS, ended, 2, &request)),
        ("settings of an odd length", h2_frames::encode(SETTINGS, 0, 0, &[0; 5])),
        ("a continuation of nothing", h2_frames::encode(CONTINUATION, END_HEADERS, 1, &request)),
        ("a reset of an idle stream", h2_frames::encode(RST_STREAM, 0, 7, &[0; 4])),
        ("HPACK that is none", h2_frames::encode(HEADERS, ended, 1, &[0xff; 40])),
        ("a frame of 16 MiB", vec![0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
        ("a window of zero", h2_frames::encode(8, 0, 0, &[0; 4])),
    ];
    for (what, bytes) in cases {
        let mut frames = Http2Frames::connect(&door.gateway, "app.test").await;
        frames.write(&bytes).await;
        let outcome = frames.outcome(1).await;
        assert!(
            matches!(outcome, Outcome::GoAway(_) | Outcome::Closed | Outcome::Reset(_)),
            "{what}: {outcome:?}"
        );
    }
    door.unharmed().await;
}

#[tokio::test]
async fn headers_without_end_are_cut_off() {
    // CVE-2024-27316 and its kin: continuation frames that never end.
    let door = Door::start().await;
    let before = memory::resident(door.gateway.pid());
    let mut frames = Http2Frames::connect(&door.gateway, "app.test").await;
    let start = hpack::encode(&[(b":method", b"GET"), (b":path", b"/x")]);
    frames.send(HEADERS, END_STREAM, 1, &start).await;
    let filler = hpack::encode(&[(b"x-filler", [b'x'; 8000].as_slice())]);
    let mut sent = 0;
    while sent < 20_000 && frames.send(CONTINUATION, 0, 1, &filler).await {
        sent += 1;
    }
    assert!(sent < 20_000, "160 MB of header fields were taken");
    let grown = memory::peak(door.gateway.pid()).saturating_sub(before);
    assert!(grown < 32 * MIB, "memory grew by {grown} bytes");
    door.unharmed().await;
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let door = Door::start().await;
    let mut frames = Http2Frames::connect(&door.gateway, "app.test").await;
    let large = "x".repeat(15_000);
    let mut fields = vec![METHOD, SCHEME, AUTHORITY, PATH];
    let block = {
        fields.push(("x-large", large.as_str()));
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        hpack::encode(&fields)
    };
    frames.send(HEADERS, END_STREAM, 1, &block).await;
    let more = hpack::encode(&[(b"x-more", large.as_bytes())]);
    for number in 0..100 {
        let flags = if number == 99 { END_HEADERS } else { 0 };
        frames.send(CONTINUATION, flags, 1, &more).await;
    }
    let outcome = frames.outcome(1).await;
    assert!(outcome.is_refusal(), "a head of 1.5 MB: {outcome:?}");
    door.unharmed().await;
}

#[tokio::test]
async fn resets_without_end_harm_nobody() {
    // CVE-2023-44487: requests that are taken back as soon as they are made.
    let door = Door::start().await;
    let before = memory::resident(door.gateway.pid());
    let mut frames = Http2Frames::connect(&door.gateway, "app.test").await;
    let block = hpack::encode(&[
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":authority", b"app.test"),
        (b":path", b"/reset"),
    ]);
    for number in 0..20_000_u32 {
        let stream = 2 * number + 1;
        let mut pair = h2_frames::encode(HEADERS, END_HEADERS | END_STREAM, stream, &block);
        pair.extend(h2_frames::encode(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        if !frames.write(&pair).await {
            break;
        }
    }
    door.alive().await;
    let grown = memory::peak(door.gateway.pid()).saturating_sub(before);
    assert!(grown < 64 * MIB, "memory grew by {grown} bytes");
}

#[tokio::test]
async fn settings_and_pings_without_end_harm_nobody() {
    let door = Door::start().await;
    let before = memory::resident(door.gateway.pid());
    let settings = h2_frames::encode(SETTINGS, 0, 0, &[]).repeat(100);
    let pings = h2_frames::encode(6, 0, 0, &[7; 8]).repeat(100);
    for flood in [settings, pings] {
        let mut frames = Http2Frames::connect(&door.gateway, "app.test").await;
        // Nothing is read: the answers can only pile up at the gateway.
        let flooding = async {
            for _ in 0..2_000 {
                if !frames.write(&flood).await {
                    break;
                }
            }
        };
        // A gateway that stops reading has done right; then the flood does not end by itself.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(3), flooding).await;
        door.alive().await;
    }
    let grown = memory::peak(door.gateway.pid()).saturating_sub(before);
    assert!(grown < 64 * MIB, "memory grew by {grown} bytes");
}
