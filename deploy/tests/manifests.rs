//! What deploys the gateway without Compose is well-formed: the manifests for Kubernetes by its schemas,
//! the unit by systemd's own judgement, and the configurations of both by the gateway's.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: a panic is how it fails, and what was skipped is said aloud"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What its maintainers call a way to validate resources without a cluster; it brings the schemas.
const VALIDATOR: &str = "kubernetes-validate==1.37.0";
const KUBERNETES: &str = "1.34";

/// As `systemd-analyze security` counts: 10 is a service that may do anything.
const MOST_EXPOSED: &str = "20";

fn deploy() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target() -> PathBuf {
    deploy().parent().unwrap().join("target")
}

fn skipped(what: &str, why: &str) {
    eprintln!("\n*** SKIPPED: {what}: {why}\n");
}

fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The validator, in an environment of its own below `target`.
fn validator() -> Option<PathBuf> {
    let folder = target().join("tools/kubernetes-validate");
    let program = folder.join("bin/kubernetes-validate");
    if !program.exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output().ok()?;
        if !made.status.success() {
            return None;
        }
        let pip = folder.join("bin/pip");
        let got = Command::new(pip).args(["install", "--quiet", VALIDATOR]).output().ok()?;
        if !got.status.success() {
            return None;
        }
    }
    Some(program)
}

#[test]
fn the_manifests_are_what_kubernetes_expects() {
    let Some(validator) = validator() else {
        let why = "python3 with venv, and kubernetes-validate from PyPI, are needed";
        return skipped("the manifests by the schemas of Kubernetes", why);
    };
    let check = |file: &Path| {
        let arguments = ["--strict", "--kubernetes-version", KUBERNETES];
        Command::new(&validator).args(arguments).arg(file).output().unwrap()
    };
    let file = deploy().join("kubernetes/gateway.yaml");
    let output = check(&file);
    assert!(output.status.success(), "{}", told(&output));
    for kind in ["deployment", "service", "poddisruptionbudget", "configmap", "networkpolicy"] {
        let passed = format!("passed for resource {kind}/gateway");
        assert!(told(&output).contains(&passed), "no {passed:?} in {}", told(&output));
    }

    // It does notice.
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("minAvailable", "minAvailible");
    std::fs::write(&broken, text).unwrap();
    assert!(!check(&broken).status.success());
}

#[test]
fn the_configuration_in_the_manifests_is_good() {
    let text = std::fs::read_to_string(deploy().join("kubernetes/gateway.yaml")).unwrap();
    let (_, rest) = text.split_once("  gateway.toml: |\n").unwrap();
    let (indented, _) = rest.split_once("\n---").unwrap();
    let config: String =
        indented.lines().map(|line| format!("{}\n", line.trim_start_matches("    "))).collect();
    let output = check_config(&config);
    assert!(output.status.success(), "{}", told(&output));
    // The one warning, of which the guide speaks.
    assert!(told(&output).contains("warning[public-admin]"), "{}", told(&output));
    assert!(told(&output).contains("1 warning"), "{}", told(&output));
}

#[test]
fn the_configuration_beside_the_unit_is_good() {
    let config = std::fs::read_to_string(deploy().join("systemd/gateway.toml")).unwrap();
    let output = check_config(&config);
    assert!(output.status.success() && !told(&output).contains("warning"), "{}", told(&output));
}

fn check_config(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--package", "gateway", "--", "check-config"]);
    let file = folder.path().join("gateway.toml");
    command.arg(file).current_dir(deploy()).env("NO_COLOR", "1").output().unwrap()
}

#[test]
fn the_unit_is_what_systemd_expects_and_lets_little_through() {
    if !is_installed("systemd-analyze") {
        return skipped("the unit by systemd", "sudo apt-get install -y systemd");
    }
    // systemd wants the programs to be there that a unit starts.
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(deploy().join("systemd/gateway.service")).unwrap();
    let unit = folder.path().join("gateway.service");
    std::fs::write(&unit, text.replace("/usr/local/bin/gateway", "/bin/true")).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&unit).output().unwrap();
    assert!(output.status.success() && told(&output).is_empty(), "{}", told(&output));

    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold", MOST_EXPOSED, "--no-pager"])
        .arg(&unit)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
}
