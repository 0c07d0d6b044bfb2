//! It aims at loopback and at what the scenario names, and at nothing else.

use crate::harness::origin::Origin;
use crate::harness::{Folder, number};

/// Addresses of documentation (RFC 5737), which lead nowhere should anything be sent all the same.
#[test]
fn addresses_elsewhere_are_refused_before_anything_is_sent() {
    for target in [
        "http://192.0.2.1",
        "https://192.0.2.1:8443",
        "http://[2001:db8::1]:80",
        "http://0.0.0.0:80",
        "http://[::]:80",
        "http://[::ffff:192.0.2.1]:80",
    ] {
        let folder = Folder::new();
        folder.write("scenario.toml", &format!("target = \"{target}\"\nduration = \"1s\"\n"));
        for command in ["check", "run"] {
            let run = folder.run(&[command, "scenario.toml"]);
            assert_eq!(run.code, Some(if command == "check" { 1 } else { 2 }), "{target}");
            let refused = run.stderr.contains("is not loopback, and `hosts` does not name it");
            assert!(refused, "{target}: {}", run.stderr);
        }
    }
}

#[test]
fn naming_another_host_does_not_help() {
    let folder = Folder::new();
    folder.write(
        "scenario.toml",
        "target = \"http://192.0.2.1\"\nhosts = [\"192.0.2.2\", \"a.test\"]\n",
    );
    assert_eq!(folder.run(&["run", "scenario.toml"]).code, Some(2));
}

#[test]
fn names_of_loopback_are_loopback() {
    let origin = Origin::http1();
    let port = origin.address.port();
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        let scenario = format!("target = \"http://{host}:{port}\"\nduration = \"100ms\"\n");
        let result = Folder::new().result(&scenario, &[]);
        assert!(number(&result, "/requests") > 0.0, "{host}");
    }
}

/// Number forms of addresses are names to a URL and addresses to some resolvers: what counts is what
/// they resolve to.
#[test]
fn odd_spellings_of_addresses_are_judged_by_what_they_are() {
    for host in ["3221225985", "0xc0000201", "192.0.513"] {
        let folder = Folder::new();
        folder
            .write("scenario.toml", &format!("target = \"http://{host}:80\"\nduration = \"1s\"\n"));
        let run = folder.run(&["run", "scenario.toml"]);
        assert_eq!(run.code, Some(2), "{host}: {}", run.stderr);
        let refused =
            run.stderr.contains("which is not loopback") || run.stderr.contains("has no address");
        assert!(refused, "{host}: {}", run.stderr);
    }
}
