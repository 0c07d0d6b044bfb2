//! What keeps it from measuring is said, with what to do about it.

use crate::harness::{Folder, is_golden};

/// Says a version and does nothing else well.
const BROKEN: &str = "case $1 in -v|--version|version) echo broken 1.2.3; exit;; esac\n\
    echo 'starting' >&2\necho 'cannot bind: the moon is full' >&2\nexit 3\n";

#[test]
fn without_a_gateway() {
    let run = Folder::new().run(&["compare"]);
    is_golden("no-gateway.txt", &run.exits_with(2).stderr);
}

#[test]
fn with_a_gateway_that_does_not_run() {
    let folder = Folder::new();
    folder.script("broken", BROKEN);
    folder.script("nginx", BROKEN);
    let run = folder.run(&["compare", "--gateway", "broken"]);
    is_golden("gateway-ends.txt", &run.exits_with(2).stderr);
    assert!(folder.left().is_empty(), "{:?}", folder.left());
}

#[test]
fn with_a_gateway_that_is_no_program() {
    let folder = Folder::new();
    folder.write("text", "not a program");
    let run = folder.run(&["compare", "--gateway", "text"]);
    is_golden("gateway-is-text.txt", &run.exits_with(2).stderr);
}

#[test]
fn with_a_page_that_has_no_place_for_the_table() {
    let folder = Folder::new();
    folder.write("result.json", include_str!("golden/result.json"));
    folder.write("page.md", "# Benchmarks\n");
    let run = folder.run(&["compare", "--from", "result.json", "--markdown", "page.md"]);
    is_golden("page-without-place.txt", &run.exits_with(2).stderr);
    assert_eq!(folder.read("page.md"), "# Benchmarks\n");
}

#[test]
fn with_a_result_that_is_none() {
    let folder = Folder::new();
    folder.write("result.json", "{}");
    let run = folder.run(&["compare", "--from", "result.json"]);
    is_golden("not-a-result.txt", &run.exits_with(2).stderr);
}
