//! What a request costs here: `cargo test --release -- --ignored --nocapture measure`.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::connection::{Connection, Event};
use super::frame::PREFACE;
use super::hpack::{Decoder, Encoder};
use crate::head::{Fields, ResponseHead};

const ROUNDS: u32 = 300_000;

/// What a browser sends, as its encoder does from the second request on: everything but the path has a
/// place in the table.
fn first_block() -> Vec<u8> {
    let mut block = vec![0x82, 0x87];
    let fields = [
        (":authority", "shop.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "de,en-US;q=0.7,en;q=0.3"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("sec-fetch-mode", "navigate"),
        ("cookie", "session=0123456789abcdef0123456789abcdef"),
    ];
    block.extend(b"\x04\x0d/api/v1/items");
    for (name, value) in fields {
        block.extend([0x40, name.len() as u8]);
        block.extend(name.as_bytes());
        block.push(value.len() as u8);
        block.extend(value.as_bytes());
    }
    block
}

fn next_block() -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0xc4];
    block.extend(b"\x04\x0d/api/v1/items");
    block.extend([0xc3, 0xc2, 0xc1, 0xc0, 0xbf, 0xbe]);
    block
}

fn answer_fields(number: u32) -> Fields {
    let mut fields = Fields::default();
    let id = format!("{number:032x}");
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-length", "5"),
        ("date", "Tue, 24 Nov 2026 04:00:00 GMT"),
        ("server", "gateway"),
        ("strict-transport-security", "max-age=63072000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("content-security-policy", "default-src 'self'; frame-ancestors 'none'"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
        ("x-request-id", &id),
    ] {
        fields.add(name.as_bytes(), value.as_bytes());
    }
    fields
}

fn shown(what: &str, took: Duration) {
    println!("{what}: {} ns", took.as_nanos() / u128::from(ROUNDS));
}

#[test]
#[ignore = "it measures"]
fn measure_blocks() {
    let mut decoder = Decoder::new();
    decoder.decode(&first_block(), |_| {}).unwrap();
    let (block, mut count) = (next_block(), 0);
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        decoder.decode(&block, |field| count += field.value.len()).unwrap();
    }
    shown("decoding alone", begun.elapsed());
    assert!(count > 0);
    let (mut encoder, fields) = (Encoder::new(), answer_fields(7));
    let mut out = Vec::new();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        out.clear();
        encoder.encode(200, &fields, &mut out);
    }
    shown("encoding eleven fields", begun.elapsed());
    println!("which are {} octets", out.len());
}

/// Requests come in batches of twenty, as of a client with so many streams.
#[test]
#[ignore = "it measures"]
fn measure_requests() {
    const BATCH: u32 = 20;
    let mut connection = Connection::new();
    connection.receive(&[&PREFACE[..], b"\0\0\0\x04\0\0\0\0\0"].concat()).unwrap();
    connection.receive(&[&b"\0\0\x04\x08\0\0\0\0\0\x7f\0\0\0"[..]].concat()).unwrap();
    let head = ResponseHead { fields: answer_fields(7), ..ResponseHead::default() };
    let cx = Context::from_waker(Waker::noop());
    let (mut input, mut stream, mut written) = (Vec::new(), 1_u32, 0);
    let mut took = Duration::ZERO;
    for round in 0..ROUNDS / BATCH {
        input.clear();
        for number in 0..BATCH {
            let first = round == 0 && number == 0;
            let block = if first { first_block() } else { next_block() };
            input.extend([0, (block.len() >> 8) as u8, block.len() as u8, 1, 5]);
            input.extend(stream.to_be_bytes());
            input.extend(block);
            stream += 2;
        }
        let begun = Instant::now();
        connection.receive(&input).unwrap();
        while let Some(event) = connection.next_event() {
            let Event::Request { stream, head: request, .. } = event else { panic!() };
            connection.send_head(stream, &head, false);
            let sent = connection.poll_send(stream, &cx, b"hello");
            assert!(matches!(sent, Poll::Ready(Ok(5))));
            connection.end(stream, None);
            connection.release(stream, request);
        }
        let waiting = connection.output().len();
        written += waiting;
        connection.written(waiting);
        took += begun.elapsed();
    }
    shown("a request, from its frame to its answer's", took);
    println!("of {} octets each", written / ROUNDS as usize);
}
