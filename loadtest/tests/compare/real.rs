//! The real servers, those that are installed, for as short as it makes sense.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Folder, skipped};

/// The gateway of the same build.
fn gateway() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_BIN_EXE_loadtest")).with_file_name("gateway");
    if built.is_file() {
        return Some(built);
    }
    skipped("the comparison", "target/debug/gateway", "cargo build -p gateway");
    None
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    let found = path.split(':').map(|folder| Path::new(folder).join(program)).find(|f| f.is_file());
    if found.is_none() {
        skipped("the comparison with it", program, "sh .ci/prepare compare");
    }
    found
}

#[test]
fn every_row_is_measured_beside_what_is_installed() {
    let peers: Vec<_> = ["nginx", "haproxy", "caddy"]
        .into_iter()
        .filter(|peer| installed(peer).is_some())
        .collect();
    let (Some(gateway), false) = (gateway(), peers.is_empty()) else { return };
    let folder = Folder::new();
    let gateway = gateway.to_string_lossy();
    let run = folder.run(&["compare", "--quick", "--gateway", &gateway, "--json", "result.json"]);
    run.exits_with(0);
    let result: serde_json::Value = serde_json::from_str(&folder.read("result.json")).unwrap();
    let figures = result["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 13);
    for figure in figures {
        for name in ["gateway"].iter().chain(&peers) {
            let value = figure["rounds"][name][0].as_f64();
            // Memory may be too little to be seen in so few connections.
            let plausible = value.is_some_and(|value| value > 0.0 || figure["id"] == "idle");
            assert!(plausible, "{name}: {figure}");
        }
    }
    assert!(folder.left().is_empty() && folder.processes().is_empty());
}

#[test]
fn scale_is_measured_with_little_of_everything() {
    let Some(gateway) = gateway() else { return };
    let folder = Folder::new();
    let gateway = gateway.to_string_lossy();
    let short = ["--rounds", "1", "--seconds", "0.3", "--sites", "5", "--connections", "200"];
    let command = ["scale", "--only", "sites,connections", "--gateway", &gateway];
    let run = folder.run(&[&command[..], &short, &["--json", "scale.json"]].concat());
    run.exits_with(0);
    let result: serde_json::Value = serde_json::from_str(&folder.read("scale.json")).unwrap();
    assert_eq!(result["groups"].as_array().unwrap().len(), 2);
}

#[test]
fn each_server_takes_the_configuration_that_is_printed_for_it() {
    let folder = Folder::new();
    folder.run(&["compare", "--print-config", "printed"]).exits_with(0);
    for (program, arguments) in [
        ("nginx", &["-t", "-q", "-e", "stderr", "-p", ".", "-c", "nginx.conf"][..]),
        ("haproxy", &["-c", "-q", "-f", "haproxy.cfg"]),
        ("caddy", &["validate", "--config", "Caddyfile", "--adapter", "caddyfile"]),
        ("gateway", &["check-config", "gateway.toml"]),
    ] {
        let path = if program == "gateway" { gateway() } else { installed(program) };
        let Some(path) = path else { continue };
        let inner = folder.path().join("printed").join(program);
        let mut command = Command::new(path);
        command.args(arguments).current_dir(inner).env("XDG_DATA_HOME", ".").stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
