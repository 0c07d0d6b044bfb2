//! Servers that go away, say nothing, or say what is not HTTP.

use std::io::{BufReader, Write as _};
use std::net::SocketAddr;

use crate::harness::{Folder, Run, number, raw};

fn open_loop(address: SocketAddr, more: &str) -> String {
    format!(
        "target = \"http://{address}\"\nmode = \"open\"\nrate = \"20/s\"\nduration = \"500ms\"\n{more}\n"
    )
}

fn failed_as(result: &serde_json::Value, kind: &str) {
    let all = number(result, "/requests");
    assert_eq!(all, 10.0);
    assert_eq!(number(result, &format!("/errors/by_kind/{kind}")), all, "{result:#}");
}

#[test]
fn a_server_that_never_answers_is_a_timeout_and_its_latency_counts() {
    let address = raw::start(|mut stream| raw::read_to_end(&mut stream));
    let result = Folder::new().result(&open_loop(address, "timeout = \"300ms\""), &[]);
    failed_as(&result, "timeout");
    assert!(number(&result, "/latency_ms/p50") >= 290.0, "{result:#}");
}

#[test]
fn a_connection_that_ends_before_the_answer_does_is_closed() {
    let address = raw::start(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        raw::read_head(&mut reader);
        // Whether the client is still there or not.
        let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfive ");
    });
    failed_as(&Folder::new().result(&open_loop(address, ""), &[]), "closed");
}

#[test]
fn an_answer_that_is_not_http_is_a_protocol_error() {
    let address = raw::start(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        raw::read_head(&mut reader);
        let _ = (&stream).write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n");
        raw::read_to_end(&mut { stream });
    });
    failed_as(&Folder::new().result(&open_loop(address, ""), &[]), "protocol");
}

/// A server that closes every connection behind its answer without saying so is as good as any.
#[test]
fn connections_that_end_between_requests_are_replaced_without_an_error() {
    let address = raw::start(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        raw::read_head(&mut reader);
        let _ = (&stream)
            .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    });
    let result = Folder::new().result(&open_loop(address, ""), &[]);
    assert_eq!(number(&result, "/errors/total"), 0.0, "{result:#}");
    assert!(number(&result, "/connections/opened") >= 10.0);
}

fn unreachable(scenario: &str) -> Run {
    let folder = Folder::new();
    folder.write("scenario.toml", scenario);
    let run = folder.run(&["run", "scenario.toml"]);
    assert_eq!(run.code, Some(2), "{}{}", run.stdout, run.stderr);
    assert_eq!(run.stdout, "");
    run
}

#[test]
fn where_nobody_listens_there_is_no_load() {
    let address = raw::closed_port();
    let run = unreachable(&format!("target = \"http://{address}\"\n"));
    let expected = format!(
        "error: 0 of 1 connections to http://{address} could be opened: cannot connect: Connection refused \
         (os error 111); is the server running, and does the scenario fit it?\n"
    );
    assert_eq!(run.stderr, expected);
}

#[test]
fn a_server_that_says_no_to_the_upgrade_is_no_websocket() {
    let address = raw::start(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        raw::read_head(&mut reader);
        let _ = (&stream).write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    });
    let run = unreachable(&format!("target = \"http://{address}\"\nprotocol = \"ws\"\n"));
    assert!(run.stderr.contains("answered the upgrade with status 404, not 101"), "{}", run.stderr);
}

#[test]
fn plain_text_is_no_tls() {
    let address = raw::start(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        raw::read_to_end(&mut stream);
    });
    let run = unreachable(&format!("target = \"https://{address}\"\n[tls]\nverify = false\n"));
    assert!(run.stderr.contains("TLS: received corrupt message"), "{}", run.stderr);
}
