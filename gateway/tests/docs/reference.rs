//! What is generated is what the gateway would generate now, and what is shown twice is the same.

use std::process::Command;

use crate::markdown::Document;
use crate::project;

#[test]
fn the_reference_is_the_generated_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["schema", "--markdown"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let generated = String::from_utf8(output.stdout).unwrap();
    let written = project::read("docs/reference.md");
    assert!(
        generated == written,
        "docs/reference.md is not what the gateway says: run `make docs`"
    );
}

#[test]
fn the_example_of_embedding_is_the_one_that_is_compiled() {
    let blocks = Document::open("docs/embedding.md").blocks();
    let shown = blocks.iter().find(|block| block.language == "rust").unwrap();
    assert_eq!(shown.text, project::read("gateway/examples/embed.rs"), "{}", shown.place);
}
