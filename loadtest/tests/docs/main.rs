//! The documents cannot rot: every scenario in them is checked and every command is run, from top to
//! bottom as a reader would, against an origin that stands where the gateway does.
//!
//! `toml` blocks with a name are files; `console` blocks hold commands behind `$ `, each with its
//! output, in which `…` stands for any text, and alone on a line for any lines.

#![expect(clippy::unwrap_used, reason = "every file here is a test or helps one")]

#[path = "../front_door/harness/certs.rs"]
mod certs;
#[path = "../front_door/harness/origin.rs"]
#[expect(dead_code, reason = "the other tests need more of it")]
mod origin;
mod output;

use std::path::Path;
use std::process::Command;

use certs::Identity;
use origin::{Origin, Speaks};
use tempfile::TempDir;

const GUIDE: &str = include_str!("../../../docs/load-testing.md");
const README: &str = include_str!("../../README.md");

/// Where the documents' gateway listens.
const SHOWN: &str = "localhost:8443";

struct Block<'d> {
    language: &'d str,
    file: Option<&'d str>,
    text: &'d str,
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let fenced = document.split("\n```").skip(1).step_by(2);
    let block = |fenced| {
        let (info, text) = str::split_once(fenced, '\n').unwrap();
        let mut words = info.split_whitespace();
        Block { language: words.next().unwrap_or_default(), file: words.next(), text }
    };
    fenced.map(block).collect()
}

/// A reader's folder, and what stands in for the gateway.
struct Reader {
    folder: TempDir,
    origin: Origin,
    last_status: i32,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::new();
        let authority = folder.path().join(".local/state/gateway-demo/local-ca");
        std::fs::create_dir_all(&authority).unwrap();
        std::fs::write(authority.join("root.crt"), &identity.root).unwrap();
        let origin = Origin::start(Speaks::Http1, Some(identity.acceptor(&["http/1.1"])));
        Self { folder, origin, last_status: 0 }
    }

    fn write(&self, file: &str, text: &str) {
        let here = format!("localhost:{}", self.origin.address.port());
        std::fs::write(self.folder.path().join(file), text.replace(SHOWN, &here)).unwrap();
    }

    fn run(&mut self, command: &str) -> String {
        let command = match command {
            "echo $?" => format!("echo {}", self.last_status),
            command => command.to_owned(),
        };
        let binary = Path::new(env!("CARGO_BIN_EXE_loadtest")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        self.last_status = output.status.code().unwrap();
        let here = format!("localhost:{}", self.origin.address.port());
        String::from_utf8(output.stdout).unwrap().replace(&here, SHOWN)
    }

    fn dialogue(&mut self, text: &str) {
        let turns: Vec<&str> = text.strip_prefix("$ ").unwrap().split("\n$ ").collect();
        for (index, turn) in turns.iter().enumerate() {
            let (command, expected) = turn.split_once('\n').unwrap_or((turn, ""));
            let written = self.run(command);
            let status_is_shown =
                turns.get(index + 1).is_some_and(|next| next.starts_with("echo $?"));
            assert!(self.last_status == 0 || status_is_shown, "{command}\n{written}");
            output::compare(expected, &written, command);
        }
    }
}

#[test]
fn the_guide_works_as_it_is_written() {
    let mut reader = Reader::new();
    for block in blocks(GUIDE) {
        match (block.language, block.file) {
            ("toml", Some(file)) => reader.write(file, block.text),
            ("console", None) => reader.dialogue(block.text),
            ("sh", None) => {
                for command in block.text.lines().filter(|line| *line != "make demo") {
                    let written = reader.run(command);
                    assert_eq!(reader.last_status, 0, "{command}\n{written}");
                }
            }
            other => panic!("nobody checks a block of {other:?}"),
        }
    }
}

#[test]
fn every_scenario_of_the_readme_is_good() {
    let mut reader = Reader::new();
    reader.run("cp .local/state/gateway-demo/local-ca/root.crt root.crt; echo {} > x.json");
    let scenarios = blocks(README).into_iter().filter(|block| block.language == "toml");
    for (index, block) in scenarios.enumerate() {
        let file = format!("scenario-{index}.toml");
        reader.write(&file, block.text);
        let written = reader.run(&format!("loadtest check {file}"));
        assert_eq!(reader.last_status, 0, "{written}");
    }
}

/// The keys of a result are those that the README lists.
#[test]
fn the_result_has_the_keys_that_the_readme_shows() {
    let mut reader = Reader::new();
    reader.write(
        "s.toml",
        "target = \"https://localhost:8443\"\nduration = \"100ms\"\n[tls]\nverify = false\n",
    );
    let result = reader.run("loadtest run s.toml --quiet --json -");
    let keys = |json: &str| {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let shown = blocks(README).into_iter().find(|block| block.language == "json").unwrap();
    assert_eq!(keys(shown.text), keys(&result));
}
