//! Every configuration in the documents is one that the gateway reads, or refuses as the document
//! says.

use std::path::Path;

use gateway_config::{Problems, parse};

use crate::markdown::{Block, Document};
use crate::project::ELSEWHERE;

/// What a document shows is often a part of a file. A file has at least one site.
const A_SITE: &str = "\n[site.\"a-site-for-the-test.example\"]\ntls = \"self-signed\"\n\
                      routes = [{ path = \"/*\", to = \"frontend:3000\" }]\n";

fn whole(block: &Block) -> String {
    let has_a_site = block.text.lines().any(|line| line.starts_with("[site."));
    if has_a_site { block.text.clone() } else { format!("{}{A_SITE}", block.text) }
}

fn problems(block: &Block) -> Option<Problems> {
    parse(&block.place, &whole(block), Path::new("/etc/gateway")).err()
}

fn blocks_of(language: &str) -> Vec<Block> {
    let mut documents = Document::all();
    documents.retain(|document| !ELSEWHERE.contains(&document.path.as_str()));
    let blocks = documents.iter().flat_map(Document::blocks);
    blocks.filter(|block| block.language == language).collect()
}

#[test]
fn every_configuration_can_be_read() {
    let blocks = blocks_of("toml");
    assert!(!blocks.is_empty());
    for block in blocks {
        // What a document shows as a mistake is shown by the file's name.
        if block.file.as_deref().is_some_and(|file| file.starts_with("broken")) {
            assert!(problems(&block).is_some(), "{}: nothing is wrong with this", block.place);
        } else if let Some(problems) = problems(&block) {
            panic!("{}:\n{}", block.place, problems.render_human(false));
        }
    }
}

#[test]
fn no_block_is_written_in_a_language_that_nobody_checks() {
    // Blocks of the last line are shown and not run: they are for other programs than ours.
    const KNOWN: [&str; 9] =
        ["toml", "sh", "console", "rust", "text", "json", "yaml", "ini", "dockerfile"];
    for block in Document::all().iter().flat_map(Document::blocks) {
        assert!(KNOWN.contains(&block.language.as_str()), "{}: {:?}", block.place, block.language);
    }
}
