//! `strip_prefix` and `rewrite`.

use super::super::node::{Node, Shape};
use super::super::table::Table;
use crate::complaint::{Complaint, quoted};
use crate::model::{PathPattern, Rewrite};
use crate::path::normalize;
use crate::problem::Code;
use crate::spec::Format;
use crate::text::parse_rewrite;

/// What happens to the path; `None` after a problem.
pub(super) fn read(table: &Table<'_>, path: Option<&PathPattern>) -> Option<Rewrite> {
    let strip = table.given("strip_prefix");
    let rewrite = table.given("rewrite");
    if !table.has("to") {
        report_misplaced(table);
        return Some(Rewrite::Keep);
    }
    match (strip, rewrite) {
        (None, None) => Some(Rewrite::Keep),
        (Some(strip), None) => read_strip(&strip, path),
        (None, Some(rewrite)) => read_rewrite(&rewrite, path),
        (Some(strip), Some(rewrite)) => {
            let span = table.key_span("strip_prefix").unwrap_or_default();
            rewrite.complain(
                Complaint::new(
                    Code::ConflictingKeys,
                    format!("{} has both `strip_prefix` and `rewrite`", table.label()),
                )
                .help("keep one of them; rewrite = \"/*\" on \"/x/*\" does what strip_prefix = true does")
                .related(&span, "`strip_prefix`"),
            );
            read_strip(&strip, path);
            read_rewrite(&rewrite, path)
        }
    }
}

fn report_misplaced(table: &Table<'_>) {
    for key in ["strip_prefix", "rewrite"] {
        if let Some(span) = table.key_span(key) {
            let message = format!("`{key}` does nothing on {} without `to`", table.label());
            let complaint = Complaint::new(Code::MisplacedKey, message)
                .help("remove it; it changes the path that goes upstream");
            table.report.add(Some(&span), complaint);
        }
    }
}

fn read_strip(node: &Node<'_>, path: Option<&PathPattern>) -> Option<Rewrite> {
    match node.shape()? {
        Shape::Bool(false) => Some(Rewrite::Keep),
        Shape::Bool(true) => own_prefix(node, path?),
        Shape::Text(_) => {
            let prefix = node.parse(Format::PathPrefix, |text| parse_prefix(text, path))?;
            Some(Rewrite::StripPrefix(prefix))
        }
        _ => None,
    }
}

fn own_prefix(node: &Node<'_>, path: &PathPattern) -> Option<Rewrite> {
    match path {
        PathPattern::Prefix(prefix) if !prefix.is_empty() => {
            Some(Rewrite::StripPrefix(prefix.clone()))
        }
        path => {
            let message = format!("the path `{path}` has no prefix to strip");
            node.complain(
                Complaint::new(Code::MisplacedKey, message)
                    .help("write the prefix: strip_prefix = \"/api\"; or give the route a path such as \"/api/*\""),
            );
            None
        }
    }
}

/// A prefix, decoded as request paths are, without a trailing slash.
fn parse_prefix(text: &str, path: Option<&PathPattern>) -> Result<String, Complaint> {
    let complaint = |why: String| {
        Complaint::new(
            Code::BadPath,
            format!("{} is not a prefix to strip: {why}", quoted(text)),
        )
        .help(
            "write the beginning of the route's path, for instance \"/api\", or true for all of it",
        )
    };
    let text = text.strip_suffix("/*").unwrap_or(text);
    let prefix = normalize(text).map_err(|error| complaint(error.to_string()))?;
    let prefix = prefix.trim_end_matches('/');
    if prefix.is_empty() || prefix.contains('*') {
        return Err(complaint("there is nothing to strip".into()));
    }
    match path {
        Some(path) if !can_match(prefix, path) => {
            Err(complaint(format!("no path of `{path}` begins with it")))
        }
        _ => Ok(prefix.to_owned()),
    }
}

/// Whether any path that the pattern takes begins with the prefix.
fn can_match(prefix: &str, path: &PathPattern) -> bool {
    let below = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match path {
        PathPattern::Exact(path) => below(prefix, path),
        PathPattern::Prefix(path) => below(prefix, path) || below(path, prefix),
    }
}

fn read_rewrite(node: &Node<'_>, path: Option<&PathPattern>) -> Option<Rewrite> {
    let rewrite = node.parse(Format::Rewrite, parse_rewrite)?;
    if let (Rewrite::Below(_), Some(PathPattern::Exact(path))) = (&rewrite, path) {
        let message = format!("the path `{path}` has no `*` to put behind the new prefix");
        node.complain(Complaint::new(Code::MisplacedKey, message).help(
            "write the whole new path without `*`, or give the route a path such as \"/x/*\"",
        ));
        return None;
    }
    Some(rewrite)
}
