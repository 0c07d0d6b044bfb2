//! The receiver and the runners' entrypoint as processes against a stand-in of GitHub's API. The tests are
//! Python's, beside what they test; each class of them is one here, so that they run at the same time.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

fn python(tests: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runners/tests");
    let output = Command::new("python3")
        .args(["-W", "ignore::ResourceWarning", "-m", "unittest", tests])
        .current_dir(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python3 3.11 or newer is needed: apt-get install python3");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("Ran 0 tests"), "{tests} has no tests:\n{said}");
}

#[test]
fn on_demand() {
    python("test_on_demand.OnDemand");
}

#[test]
fn what_is_refused() {
    python("test_on_demand.WhatIsRefused");
}

#[test]
fn github_in_trouble() {
    python("test_on_demand.GitHubInTrouble");
}

#[test]
fn standing() {
    python("test_standing");
}
