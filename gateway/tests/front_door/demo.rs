//! `gateway demo`: every curl line that it prints is run as it stands, by a shell and a real curl.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::harness::skipped;

/// curl's exit code for `--max-time`, with which the line about events ends as it is meant to.
const TIMED_OUT: i32 = 28;

struct Demo {
    process: Child,
    /// What it printed before it began to serve.
    banner: String,
    /// The rest of its stdout: the access log. Held open, or the log would have nobody to write to.
    log: BufReader<std::process::ChildStdout>,
    _storage: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let storage = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["demo", "--http-port", "0", "--https-port", "0", "--admin-port", "0"])
            .arg("--storage")
            .arg(storage.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Ctrl-C ends the demo.") {
            assert_ne!(log.read_line(&mut banner).unwrap(), 0, "it ended after:\n{banner}");
        }
        Self { process, banner, log, _storage: storage }
    }

    /// Runs the one line of the banner that holds each of these.
    fn run(&self, parts: &[&str]) -> Output {
        let mut lines = self.banner.lines().map(str::trim).filter(|line| {
            line.starts_with("curl ") && parts.iter().all(|part| line.contains(part))
        });
        let (line, more) = (lines.next(), lines.next());
        let line = line.unwrap_or_else(|| panic!("no line with {parts:?} in:\n{}", self.banner));
        assert_eq!(more, None, "two lines with {parts:?}");
        Command::new("sh").arg("-c").arg(line).output().unwrap()
    }

    fn text(&self, parts: &[&str]) -> String {
        let output = self.run(parts);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{parts:?} ended with {}: {error}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Ctrl-C, and what is left of its stdout.
    fn end(&mut self) -> String {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap());
        signal::kill(pid, Signal::SIGINT).unwrap();
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success(), "it ended with {status}");
        rest
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Where the test failed before its end; otherwise there is nothing left to end.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn every_curl_line_that_it_prints_works() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("the curl lines of gateway demo", "curl is not installed");
    }
    let mut demo = Demo::start();
    for version in ["--http2 ", "--http1.1 "] {
        let echoed: serde_json::Value = serde_json::from_str(&demo.text(&[version])).unwrap();
        assert_eq!(echoed["path"], "/api/v1/echo");
        assert_eq!(echoed["headers"]["x-forwarded-proto"][0], "https");
    }
    let redirect = demo.text(&["-i http://localhost"]);
    assert!(redirect.starts_with("HTTP/1.1 308"), "{redirect}");
    assert!(redirect.contains("location: https://localhost:"), "{redirect}");

    let events = demo.run(&["/api/v1/events"]);
    assert_eq!(events.status.code(), Some(TIMED_OUT));
    let events = String::from_utf8(events.stdout).unwrap();
    assert!(events.matches("event: tick").count() >= 2, "{events}");

    assert!(demo.text(&["Oat milk"]).contains("\"name\": \"Oat milk\""));
    assert!(demo.text(&["grafana.localhost"]).contains("stand-in for Grafana"));
    assert!(demo.text(&["hooks.localhost"]).contains("\"accepted\""));

    let statuses = demo.text(&["items?n="]);
    let served = statuses.lines().filter(|status| *status == "200").count();
    let refused = statuses.lines().filter(|status| *status == "429").count();
    assert_eq!(served + refused, 30, "{statuses}");
    assert!(refused > 0, "nothing was refused after the burst: {statuses}");

    demo.text(&["/api/v1/bytes/1073741824"]);
    let log = demo.end();
    assert!(log.contains("/api/v1/bytes/1073741824 HTTP/2\" 200 1073741824"), "{log}");
}
