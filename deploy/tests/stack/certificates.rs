//! Certificates that come by themselves, and a stack that calls itself valid with them.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::{bounded, docker, text};
use crate::project::Stack;
use crate::until::until;
use crate::visitor::{DOMAIN, GRAFANA, HOOKS};

pub(crate) fn certificates_come(stack: &Stack) {
    stack.step("certificates from the ACME server");
    let url = format!("https://{}:15000/roots/0", stack.address("pebble", "edge"));
    let output = bounded(20, "curl", &["--silent", "--insecure", &url]).output().unwrap();
    assert!(output.stdout.starts_with(b"-----BEGIN"), "{}", text(&output));
    fs::write(stack.roots(), output.stdout).unwrap();
    for host in [DOMAIN, GRAFANA, HOOKS] {
        until(&format!("a certificate of {host}"), 90, || stack.get(host, "/health") != 0);
    }
    assert_eq!(serials(stack).len(), 3, "each of three sites has one certificate");
}

/// The serials of all certificates.
pub(crate) fn serials(stack: &Stack) -> Vec<String> {
    let gateway = stack.container("gateway");
    let listed = docker(&[
        "exec",
        &gateway,
        "/gateway",
        "certs",
        "list",
        "--json",
        "--config",
        "/etc/gateway/gateway.toml",
    ]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let certificates = listed["certificates"].as_array().unwrap();
    certificates.iter().filter_map(|one| one["serial"].as_str().map(str::to_owned)).collect()
}

/// Prometheus has asked everybody after half a minute, and alerts of the start have gone after a while.
pub(crate) fn it_is_valid(stack: &Stack) {
    stack.step("deploy/validate uat");
    let roots = stack.roots();
    let began = Instant::now();
    let said = loop {
        let output = stack.script("validate", &["uat", "--cacert", roots.to_str().unwrap()]);
        let said = text(&output);
        if output.status.success() {
            break said;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "deploy/validate:\n{said}");
        // It asks every service and starts a container, and takes time from those that it waits for.
        thread::sleep(Duration::from_secs(5));
    };
    eprintln!("{said}");
    for check in
        ["frontend cannot reach postgres", "frontend cannot reach gateway", "traffic to Grafana"]
    {
        assert!(said.contains(check), "{check} was not tried");
    }
}
