//! Where the project's files are.

use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file of the project as text.
pub(crate) fn read(path: &str) -> String {
    let file = root().join(path);
    match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => panic!("cannot read {}: {error}", file.display()),
    }
}

/// Every document for people: the Markdown files of the root and of `docs`, by their paths.
pub(crate) fn documents() -> Vec<String> {
    let mut documents: Vec<String> = ["", "docs"].into_iter().flat_map(markdown_files).collect();
    documents.sort();
    documents
}

/// Documents whose code is run by the tests of the program that they are about: `loadtest`.
pub(crate) const ELSEWHERE: [&str; 1] = ["docs/load-testing.md"];

/// Every Rust file of the gateway.
pub(crate) fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("gateway/src")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

fn markdown_files(folder: &str) -> Vec<String> {
    let entries = root().join(folder).read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let markdown = names.filter(|name| name.ends_with(".md"));
    markdown.map(|name| Path::new(folder).join(name).to_str().unwrap().to_owned()).collect()
}
