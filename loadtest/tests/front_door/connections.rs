//! Connections: opened, resumed, replaced, held.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::harness::certs::Identity;
use crate::harness::origin::{Origin, Speaks};
use crate::harness::{Folder, number};

/// A new connection for each request.
fn each_anew(speaks: Speaks, resumption: bool) -> (Value, usize) {
    let folder = Folder::new();
    let identity = Identity::new();
    folder.write("root.crt", &identity.root);
    let (word, alpn) = if speaks == Speaks::Http2 { ("h2", "h2") } else { ("h1", "http/1.1") };
    let origin = Origin::start(speaks, Some(identity.acceptor(&[alpn])));
    let scenario = format!(
        "target = \"https://{}\"\nprotocol = \"{word}\"\nmode = \"open\"\nrate = \"40/s\"\nduration = \"500ms\"\n\
         requests_per_connection = 1\n[tls]\nca = \"root.crt\"\nresumption = {resumption}\n",
        origin.address
    );
    let result = folder.result(&scenario, &[]);
    assert_eq!(number(&result, "/requests"), 20.0);
    assert_eq!(number(&result, "/errors/total"), 0.0, "{result:#}");
    let connections = origin.connections();
    assert!(connections >= 20, "{connections}");
    (result, connections)
}

#[test]
fn resumption_is_on_or_off() {
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let (result, _) = each_anew(speaks, true);
        assert_eq!(number(&result, "/connections/handshakes_full"), 1.0, "{result:#}");
        assert!(number(&result, "/connections/handshakes_resumed") >= 19.0, "{result:#}");
        let (result, _) = each_anew(speaks, false);
        assert_eq!(number(&result, "/connections/handshakes_resumed"), 0.0, "{result:#}");
        assert!(number(&result, "/connections/handshakes_full") >= 20.0, "{result:#}");
    }
}

#[test]
fn a_certificate_of_another_authority_is_refused_unless_the_scenario_says_otherwise() {
    let folder = Folder::new();
    folder.write("other.crt", &Identity::new().root);
    let origin = Origin::start(Speaks::Http1, Some(Identity::new().acceptor(&[])));
    let target = format!("target = \"https://{}\"\nduration = \"100ms\"\n[tls]\n", origin.address);
    folder.write("scenario.toml", &format!("{target}ca = \"other.crt\"\n"));
    let run = folder.run(&["run", "scenario.toml"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("invalid peer certificate"), "{}", run.stderr);
    folder.result(&format!("{target}verify = false\n"), &[]);
}

#[test]
fn idle_connections_are_opened_announced_and_held() {
    let folder = Folder::new();
    let identity = Identity::new();
    folder.write("root.crt", &identity.root);
    let origin = Origin::start(Speaks::Http1, Some(identity.acceptor(&["http/1.1"])));
    let scenario = format!(
        "target = \"https://{}\"\nmode = \"idle\"\nconnections = 300\nduration = \"1s\"\n\
         sources = [\"127.0.0.2\", \"127.0.0.3\"]\n[tls]\nca = \"root.crt\"\n",
        origin.address
    );
    folder.write("scenario.toml", &scenario);
    let mut child = folder.start(&[
        "run",
        "scenario.toml",
        "--quiet",
        "--json",
        "result.json",
        "--threads",
        "2",
    ]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.starts_with("all open: 300 connections after "), "{line}");
    // Each has had its request by now.
    assert_eq!((origin.connections(), origin.requests()), (300, 300));
    assert!(child.wait().unwrap().success());
    let result: Value = serde_json::from_str(&folder.read("result.json")).unwrap();
    assert_eq!(number(&result, "/idle/connections"), 300.0);
    assert_eq!(number(&result, "/idle/lost"), 0.0);
    assert_eq!(number(&result, "/requests"), 300.0);
    assert!(number(&result, "/idle/all_open_after_s") > 0.0);
}
