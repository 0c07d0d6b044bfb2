//! `gateway schema`, and readers that go away.

use std::io::Read;
use std::process::Stdio;

use gateway_config::schema::{json_schema, reference_markdown};
use serde_json::Value;

use crate::harness::Folder;

#[test]
fn the_schema_is_the_languages() {
    let run = Folder::new().run(&["schema"]);
    let printed: Value = serde_json::from_str(&run.exits_with(0).stdout).unwrap();
    assert_eq!(printed, json_schema());
}

#[test]
fn the_reference_has_every_code_that_check_config_knows() {
    let run = Folder::new().run(&["schema", "--markdown"]);
    assert!(run.exits_with(0).stdout.starts_with(&reference_markdown()));
    for code in ["cannot-read", "unresolved-name", "listen", "unknown-service"] {
        assert!(run.stdout.contains(&format!("| `{code}` |")), "{code}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = Folder::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = folder.command(&["schema"]);
    let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    drop(command);
    let mut first = [0; 16];
    reader.read_exact(&mut first).unwrap();
    drop(reader);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_disk_that_is_full_is_one() {
    let folder = Folder::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = folder.command(&["schema"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: cannot write to stdout: No space left"), "{said}");
}

#[test]
fn a_stderr_that_is_closed_changes_nothing() {
    let folder = Folder::with_config("[server]\nstorag = \"x\"\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = folder.command(&["check-config"]).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
