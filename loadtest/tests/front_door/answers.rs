//! What is expected of answers.

use std::io::{BufReader, Write as _};

use crate::harness::origin::{Origin, Speaks};
use crate::harness::{Folder, number, raw};

/// A run of some requests to each path, all of which end as `kind`, or well.
fn ends(speaks: Speaks, request: &str, kind: Option<&str>) {
    let origin = Origin::start(speaks, None);
    let word = if speaks == Speaks::Http2 { "h2" } else { "h1" };
    let scenario = format!(
        "target = \"http://{}\"\nprotocol = \"{word}\"\nmode = \"open\"\nrate = \"50/s\"\nduration = \"200ms\"\n\
         [[request]]\n{request}\n",
        origin.address
    );
    let result = Folder::new().result(&scenario, &[]);
    assert_eq!(number(&result, "/requests"), 10.0, "{request}");
    let failed = if kind.is_some() { 10.0 } else { 0.0 };
    assert_eq!(number(&result, "/errors/total"), failed, "{request}: {result:#}");
    if let Some(kind) = kind {
        assert_eq!(number(&result, &format!("/errors/by_kind/{kind}")), 10.0, "{result:#}");
        assert!(result["latency_ms"].is_null(), "an error has no latency");
    }
}

#[test]
fn each_expectation_is_judged_in_both_versions_of_http() {
    for speaks in [Speaks::Http1, Speaks::Http2] {
        ends(speaks, "path = \"/status/503\"", Some("status"));
        ends(speaks, "path = \"/status/503\"\nexpect = { status = [503] }", None);
        ends(speaks, "path = \"/a\"\nexpect = { body_contains = \"ok /a\" }", None);
        ends(speaks, "path = \"/a\"\nexpect = { body_contains = \"ok /b\" }", Some("check"));
        ends(speaks, "path = \"/a\"\nexpect = { min_bytes = 6 }", Some("check"));
        ends(
            speaks,
            "path = \"/a\"\nexpect = { header = { Content-Type = \"text/plain\" } }",
            None,
        );
        ends(speaks, "path = \"/a\"\nexpect = { header = { x-b = \"\" } }", Some("check"));
        ends(speaks, "method = \"HEAD\"\npath = \"/large\"", None);
    }
}

#[test]
fn redirects_are_answers_and_are_not_followed() {
    for speaks in [Speaks::Http1, Speaks::Http2] {
        ends(speaks, "path = \"/elsewhere\"\nexpect = { status = 302 }", None);
    }
}

/// What follows the head, byte by byte, so that no read has it whole.
fn dripping(answer: &'static [u8]) -> std::net::SocketAddr {
    raw::start(move |stream| {
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while raw::read_head(&mut reader) {
            for byte in answer {
                if (&stream).write_all(&[*byte]).is_err() {
                    return;
                }
            }
            if !answer.starts_with(b"HTTP/1.1") {
                return;
            }
        }
    })
}

#[test]
fn answers_may_come_byte_by_byte_and_in_chunks() {
    let chunked = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n\
        HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nnee\r\n3;x=y\r\ndle\r\n0\r\nt: u\r\n\r\n";
    let until_the_end = b"HTTP/1.0 200 OK\r\n\r\na needle";
    for answer in [&chunked[..], until_the_end] {
        let scenario = format!(
            "target = \"http://{}\"\nmode = \"open\"\nrate = \"20/s\"\nduration = \"500ms\"\n\
             [[request]]\nexpect = {{ body_contains = \"needle\", min_bytes = 6 }}\n",
            dripping(answer)
        );
        let result = Folder::new().result(&scenario, &[]);
        assert_eq!(number(&result, "/requests"), 10.0);
        assert_eq!(number(&result, "/errors/total"), 0.0, "{result:#}");
    }
}

#[test]
fn the_mix_has_its_weights() {
    let origin = Origin::http1();
    let scenario = format!(
        "target = \"http://{}\"\nmode = \"open\"\nrate = \"1000/s\"\nduration = \"1s\"\nconnections = 8\nseed = 7\n\
         [[request]]\nname = \"often\"\nweight = 9\n[[request]]\nname = \"rarely\"\n",
        origin.address
    );
    let result = Folder::new().result(&scenario, &[]);
    let often = number(&result, "/by_request/0/requests");
    assert_eq!(often + number(&result, "/by_request/1/requests"), 1_000.0);
    // The seed decides; nine of ten, and not by luck.
    assert!((850.0..950.0).contains(&often), "{often}");
}
