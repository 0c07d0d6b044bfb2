//! `include`: which files, and what there is to say about it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, glob_with};
use toml::de::DeTable;

use super::read;
use crate::complaint::{Complaint, quoted};
use crate::problem::Code;
use crate::source::{File, Span};
use crate::text::parse_include;

/// Hidden files are what editors leave behind.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that `main` includes, in the order of its patterns and then of their names, each once.
/// What is wrong with the patterns themselves is said by who reads the table.
pub(super) fn included(main: &File, path: Option<&Path>) -> (Vec<File>, Vec<(Span, Complaint)>) {
    let (mut files, mut complaints) = (Vec::new(), Vec::new());
    let mut seen: HashSet<PathBuf> = path.map(identity).into_iter().collect();
    for (pattern, span) in patterns(main) {
        let found = matching(&main.base, &pattern);
        if found.is_empty() {
            complaints.push((span, nothing(&pattern)));
            continue;
        }
        for path in found {
            if !seen.insert(identity(&path)) {
                continue;
            }
            match read(&path) {
                Ok(file) => files.push(file),
                Err(error) => {
                    let message = format!("cannot read {}: {error}", path.display());
                    let complaint = Complaint::new(Code::UnreadableInclude, message)
                        .help("make the file readable, or exclude it by another pattern");
                    complaints.push((span.clone(), complaint));
                }
            }
        }
    }
    (files, complaints)
}

/// Every pattern that is one, with its place.
fn patterns(main: &File) -> Vec<(String, Span)> {
    let (table, _said_later) = DeTable::parse_recoverable(&main.text);
    let include = table.get_ref().get("include").and_then(|value| value.get_ref().as_array());
    let items = include.into_iter().flat_map(|list| list.iter());
    let good = items.filter_map(|item| {
        let pattern = parse_include(item.get_ref().as_str()?).ok()?;
        Some((pattern, item.span()))
    });
    good.collect()
}

/// The files that a pattern matches.
fn matching(base: &Path, pattern: &str) -> Vec<PathBuf> {
    // The folder is meant literally, whatever it is called.
    let base = Pattern::escape(&base.to_string_lossy());
    let whole = Path::new(&base).join(pattern);
    let found = glob_with(&whole.to_string_lossy(), OPTIONS).into_iter().flatten();
    // What cannot be looked into holds nothing that could be read.
    found.filter_map(Result::ok).collect()
}

/// The file itself, whichever way leads to it.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn nothing(pattern: &str) -> Complaint {
    Complaint::new(Code::EmptyInclude, format!("no file matches {}", quoted(pattern))).help(
        "patterns begin at the folder of this file; remove it if nothing is to be included yet",
    )
}
