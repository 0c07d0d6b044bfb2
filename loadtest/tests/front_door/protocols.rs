//! HTTP/1.1, HTTP/2 and WebSocket, with and without TLS.

use crate::harness::certs::Identity;
use crate::harness::origin::{Origin, Speaks};
use crate::harness::{Folder, number};

/// Runs a closed loop for a moment and returns its result.
fn run(speaks: Speaks, tls: bool, more: &str) -> (serde_json::Value, Origin) {
    let folder = Folder::new();
    let identity = Identity::new();
    folder.write("root.crt", &identity.root);
    let (word, alpn) = match speaks {
        Speaks::Http1 => ("h1", "http/1.1"),
        Speaks::Http2 => ("h2", "h2"),
        Speaks::WebSocket => ("ws", "http/1.1"),
    };
    let origin = Origin::start(speaks, tls.then(|| identity.acceptor(&[alpn])));
    let (scheme, tls) = if tls { ("https", "[tls]\nca = \"root.crt\"\n") } else { ("http", "") };
    let scenario = format!(
        "target = \"{scheme}://{}\"\nprotocol = \"{word}\"\nconnections = 3\nduration = \"400ms\"\n{more}\n{tls}",
        origin.address
    );
    let result = folder.result(&scenario, &[]);
    assert_eq!(number(&result, "/errors/total"), 0.0, "{result:#}");
    assert!(number(&result, "/requests") >= 3.0, "{result:#}");
    assert_eq!(result["protocol"], word);
    assert_eq!(number(&result, "/connections/opened"), 3.0);
    assert_eq!(result["handshake_ms"].is_object(), scheme == "https");
    (result, origin)
}

#[test]
fn http1() {
    let (result, origin) = run(Speaks::Http1, false, "");
    assert_eq!(number(&result, "/statuses/200"), number(&result, "/requests"));
    assert_eq!(origin.requests() as f64, number(&result, "/requests"));
    assert_eq!(origin.connections(), 3);
}

#[test]
fn http1_over_tls() {
    run(Speaks::Http1, true, "");
}

#[test]
fn http2_has_streams() {
    let (result, origin) = run(Speaks::Http2, false, "streams = 5");
    assert!(number(&result, "/requests") >= 15.0, "{result:#}");
    assert_eq!(origin.connections(), 3);
}

#[test]
fn http2_over_tls() {
    run(Speaks::Http2, true, "streams = 5");
}

#[test]
fn websocket() {
    let (result, _origin) = run(Speaks::WebSocket, false, "[websocket]\nmessage_size = \"70000B\"");
    assert_eq!(number(&result, "/messages/received"), number(&result, "/requests"));
}

#[test]
fn websocket_over_tls() {
    run(Speaks::WebSocket, true, "");
}

#[test]
fn bodies_arrive_whole_and_answers_are_read_whole() {
    for (speaks, word) in [(Speaks::Http1, "h1"), (Speaks::Http2, "h2")] {
        let origin = Origin::start(speaks, None);
        // More than a window of HTTP/2 and a frame, and no multiple of either.
        let scenario = format!(
            "target = \"http://{}\"\nprotocol = \"{word}\"\nduration = \"300ms\"\n\
             [[request]]\nmethod = \"POST\"\npath = \"/echo\"\nbody_size = \"150001B\"\n\
             expect = {{ status = 200, min_bytes = 150001 }}\n\
             [[request]]\npath = \"/large\"\nexpect = {{ min_bytes = 300000 }}\n",
            origin.address
        );
        let result = Folder::new().result(&scenario, &[]);
        assert_eq!(number(&result, "/errors/total"), 0.0, "{result:#}");
        assert!(number(&result, "/by_request/0/requests") > 0.0, "{result:#}");
        assert!(number(&result, "/by_request/1/requests") > 0.0, "{result:#}");
    }
}

#[test]
fn a_server_that_does_not_agree_on_http2_is_no_target_for_it() {
    let folder = Folder::new();
    let identity = Identity::new();
    folder.write("root.crt", &identity.root);
    let origin = Origin::start(Speaks::Http1, Some(identity.acceptor(&[])));
    folder.write(
        "scenario.toml",
        &format!(
            "target = \"https://{}\"\nprotocol = \"h2\"\n[tls]\nca = \"root.crt\"\n",
            origin.address
        ),
    );
    let run = folder.run(&["run", "scenario.toml"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("the server does not speak HTTP/2 (ALPN)"), "{}", run.stderr);
}
