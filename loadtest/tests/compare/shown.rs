//! What a result looks like. `golden/result.json` and `golden/scale.json` are made up.

use crate::harness::{Folder, is_golden};

#[test]
fn a_result_becomes_tables_and_a_picture() {
    let folder = Folder::new();
    folder.write("result.json", include_str!("golden/result.json"));
    let files = ["--json", "again.json", "--markdown", "table.md", "--svg", "picture.svg"];
    let run = folder.run(&[&["compare", "--from", "result.json"], &files[..]].concat());
    is_golden("table.txt", &run.exits_with(0).stdout);
    is_golden("table.md", &folder.read("table.md"));
    is_golden("picture.svg", &folder.read("picture.svg"));
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(parsed(&folder.read("again.json")), parsed(include_str!("golden/result.json")));
}

#[test]
fn scale_becomes_tables() {
    let folder = Folder::new();
    folder.write("scale.json", include_str!("golden/scale.json"));
    let run = folder.run(&["scale", "--from", "scale.json", "--markdown", "scale.md"]);
    is_golden("scale.txt", &run.exits_with(0).stdout);
    is_golden("scale.md", &folder.read("scale.md"));
}

#[test]
fn help_says_what_there_is() {
    let folder = Folder::new();
    for command in ["compare", "scale", "origin"] {
        let run = folder.run(&[command, "--help"]);
        is_golden(&format!("help-{command}.txt"), &run.exits_with(0).stdout);
    }
}
