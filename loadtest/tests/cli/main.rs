//! Every message, word for word. `BLESS=1 cargo test -p loadtest --test cli` writes the expected files
//! anew; read the difference before committing it.

#![expect(clippy::unwrap_used, reason = "every file here is a test or helps one")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const GOLDEN: &str = "tests/cli/golden";

fn run(folder: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(arguments).current_dir(folder).env_remove("NO_COLOR").output().unwrap()
}

/// Compares, or writes the file where `BLESS` is set.
fn compare(name: &str, actual: &str) {
    let path = Path::new(GOLDEN).join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, actual, "not as in {}", path.display());
}

fn shown(arguments: &[&str], output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut shown = format!("$ loadtest {}\n", arguments.join(" "));
    shown.push_str(&format!("# exit code: {}\n", output.status.code().unwrap()));
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            shown.push_str(&format!("# {stream}:\n{}", text(bytes)));
        }
    }
    shown
}

fn scenarios() -> Vec<PathBuf> {
    let entries = Path::new(GOLDEN).read_dir().unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(files.len() > 8, "only {} scenarios", files.len());
    files
}

#[test]
fn every_mistake_of_a_scenario_is_explained_in_its_place() {
    for path in scenarios() {
        let file = path.file_name().unwrap().to_str().unwrap();
        let arguments = ["check", file];
        let output = run(GOLDEN, &arguments);
        assert_eq!(output.status.code(), Some(1), "{file}");
        let name = Path::new(file).with_extension("txt");
        compare(name.to_str().unwrap(), &shown(&arguments, &output));
        // `run` says the same, and that it cannot.
        let refused = run(GOLDEN, &["run", file]);
        assert_eq!((refused.status.code(), &refused.stderr), (Some(2), &output.stderr), "{file}");
    }
}

#[test]
fn every_command_has_its_help() {
    for (name, arguments) in [
        ("help.txt", &["--help"][..]),
        ("help-run.txt", &["run", "--help"]),
        ("help-check.txt", &["check", "--help"]),
    ] {
        let output = run(GOLDEN, arguments);
        assert_eq!(output.status.code(), Some(0));
        compare(name, &shown(arguments, &output));
    }
}

#[test]
fn wrong_arguments_are_explained() {
    let mut all = String::new();
    for arguments in [
        &["run", "no-such.toml"][..],
        &["check", "no-such.toml"],
        &["run", "values.toml", "--slo", "p99=5ms"],
        &["run", "values.toml", "--slo", "latency<5ms"],
        &["run", "values.toml", "--slo", "p99<5"],
        &["run", "values.toml", "--slo", "errors<1"],
        &["run", "values.toml", "--duration", "5"],
        &["run", "values.toml", "--rate", "5"],
        &["run", "values.toml", "--connections", "0"],
        &["run", "values.toml", "--threads", "0"],
        &["rum", "values.toml"],
    ] {
        let output = run(GOLDEN, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        all.push_str(&shown(arguments, &output));
        all.push('\n');
    }
    compare("wrong-arguments.txt", &all);
}

#[test]
fn overrides_that_a_scenario_cannot_take_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let mut all = String::new();
    for (name, text, arguments) in [
        ("closed.toml", "target = \"http://127.0.0.1:9\"\nmode = \"closed\"\n", ["--rate", "5/s"]),
        (
            "ramp.toml",
            "target = \"http://127.0.0.1:9\"\nmode = \"open\"\nramp = [{ to = \"9/s\", over = \"1s\" }]\n",
            ["--duration", "5s"],
        ),
    ] {
        std::fs::write(Path::new(folder).join(name), text).unwrap();
        let arguments = [&["run", name], &arguments[..]].concat();
        let output = run(folder, &arguments);
        assert_eq!(output.status.code(), Some(2));
        all.push_str(&shown(&arguments, &output));
        all.push('\n');
    }
    compare("overrides.txt", &all);
}

#[test]
fn a_good_scenario_is_good_and_says_what_it_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let text = "target = \"https://[::1]:8443\"\nprotocol = \"h2\"\nstreams = 4\nconnections = 3\nduration = \"1m30s\"\n";
    std::fs::write(Path::new(folder).join("good.toml"), text).unwrap();
    let output = run(folder, &["check", "good.toml"]);
    let expected =
        "good.toml: good: h2 closed loop, 3 connections of 4 streams, 1m30s, https://[::1]:8443\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
