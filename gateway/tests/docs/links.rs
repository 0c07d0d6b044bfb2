//! Links within the project lead to files that exist, and to headings that these files have.

use std::path::{Component, Path, PathBuf};

use crate::markdown::Document;
use crate::project;

/// The targets of a line's links and images: `](target)`, `src="target"`.
fn targets(line: &str) -> Vec<&str> {
    let after = |opening: &'static str, closing: char| {
        line.split(opening).skip(1).filter_map(move |rest| rest.split(closing).next())
    };
    after("](", ')').chain(after("src=\"", '"')).chain(after("href=\"", '"')).collect()
}

fn is_outside(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// The path of a link's file, seen from the root.
fn resolved(document: &Document, target: &str) -> String {
    let from = Path::new(&document.path).parent().unwrap();
    let mut path = PathBuf::new();
    for part in from.join(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{target} leaves the project"),
            part => path.push(part),
        }
    }
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for document in Document::all() {
        for (line, text) in document.prose() {
            for target in targets(text).into_iter().filter(|target| !is_outside(target)) {
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let place = format!("{}:{line}: {target}", document.path);
                let path = match file {
                    "" => document.path.clone(),
                    file => resolved(&document, file),
                };
                assert!(project::root().join(&path).exists(), "{place} does not exist");
                if !anchor.is_empty() {
                    let anchors = Document::open(&path).anchors();
                    assert!(anchors.iter().any(|other| other == anchor), "{place}: of {anchors:?}");
                }
                followed += 1;
            }
        }
    }
    assert!(followed > 20, "only {followed} links were found");
}

#[test]
fn targets_are_found_in_links_and_images() {
    let line = r#"see [a](b.md#c) and <img src="d.svg" alt="e"> or ![f](g.png)"#;
    assert_eq!(targets(line), ["b.md#c", "g.png", "d.svg"]);
}
