//! What must not be shown: secrets that were written into the file by mistake. Problems show the
//! lines that they are about, and logs of CI are public.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::source::Span;
use crate::spec::{Format, Kind, ROOT, TableSpec, tables};
use crate::text::is_variable;

/// The parts of a file that are secrets, or may be.
pub(crate) fn spans(file: &DeTable<'_>) -> Vec<Span> {
    let mut found = Vec::new();
    in_table(file, &[&ROOT], &mut found);
    found
}

/// The part of a line that is not TOML which may be a secret: what stands behind `token =` and its
/// like.
pub(crate) fn in_broken_line(line: &str) -> Option<Span> {
    let starts = tables().into_iter().flat_map(TableSpec::keys).filter_map(|key| {
        let always = key.kind.is_secret() && !is_plain_somewhere(key.name);
        if key.kind.holds_hashes() {
            return in_table_of_hashes(line, key.name);
        }
        always.then(|| value_of(line, key.name))?
    });
    starts.min().map(|start| start..line.len())
}

/// Where the value of a key begins, unless it is a table.
fn value_of(line: &str, key: &str) -> Option<usize> {
    let mut values = line.match_indices(key).filter_map(|(at, _)| {
        let before = line[..at].chars().next_back();
        let rest = line[at + key.len()..].trim_start_matches(['"', '\'']);
        let value = rest.trim_start().strip_prefix('=')?.trim_start();
        let whole = before.is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'));
        (whole && !value.starts_with('{')).then(|| line.len() - value.len())
    });
    values.next()
}

/// The same for a table of hashes: what stands in it may be passwords.
fn in_table_of_hashes(line: &str, key: &str) -> Option<usize> {
    let at = line.find(key)?;
    let rest = &line[at + key.len()..];
    rest.contains('=').then_some(at + key.len())
}

fn in_table(entries: &DeTable<'_>, specs: &[&'static TableSpec], found: &mut Vec<Span>) {
    let holds_secrets = specs
        .iter()
        .flat_map(|spec| spec.keys())
        .any(|key| key.kind.is_secret() || key.kind.holds_hashes());
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        let known = specs.iter().filter_map(|spec| spec.key(name));
        let kinds: Vec<&'static Kind> = known.map(|key| &key.kind).collect();
        if !kinds.is_empty() {
            in_value(value, &kinds, found);
        } else if holds_secrets || is_secret_somewhere(name) {
            // A secret under a misspelled key, or at a wrong place.
            found.push(value.span());
        }
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, kinds: &[&'static Kind], found: &mut Vec<Span>) {
    let kinds: Vec<&'static Kind> = kinds.iter().flat_map(|kind| flattened(kind)).collect();
    let secret = kinds.iter().any(|kind| kind.is_secret());
    let hashes = kinds.iter().any(|kind| kind.holds_hashes());
    match value.get_ref() {
        DeValue::Table(entries) if hashes => found.extend(entries.values().map(Spanned::span)),
        _ if hashes => found.push(value.span()),
        DeValue::Array(items) => {
            items.iter().for_each(|item| in_value(item, &kinds, found));
        }
        DeValue::Table(entries) if secret => in_secret(entries, found),
        _ if secret => found.push(value.span()),
        DeValue::Table(entries) if kinds.iter().any(|kind| matches!(kind, Kind::Named { .. })) => {
            let inner = kinds.iter().flat_map(|kind| kind.tables()).collect::<Vec<_>>();
            let tables = entries.values().filter_map(|value| value.get_ref().as_table());
            tables.for_each(|table| in_table(table, &inner, found));
        }
        DeValue::Table(entries) => {
            let inner = kinds.iter().flat_map(|kind| kind.tables()).collect::<Vec<_>>();
            in_table(entries, &inner, found);
        }
        DeValue::String(text)
            if text.contains('@') && kinds.iter().any(|kind| is_service(kind)) =>
        {
            // A password in a URL.
            found.push(value.span());
        }
        _ => {}
    }
}

/// Of `{ env }` and `{ file }`, everything that is neither the name of a variable nor of a file.
fn in_secret(entries: &DeTable<'_>, found: &mut Vec<Span>) {
    let fine = |key: &str, value: &DeValue<'_>| match key {
        "env" => value.as_str().is_some_and(is_variable),
        "file" => value.is_str(),
        _ => false,
    };
    let entries = entries.iter().filter(|(key, value)| !fine(key.get_ref(), value.get_ref()));
    found.extend(entries.map(|(_, value)| value.span()));
}

/// The kinds in a kind that a value or the entry of a list may have.
fn flattened(kind: &'static Kind) -> Vec<&'static Kind> {
    match kind {
        Kind::Either(kinds) => kinds.iter().flat_map(flattened).collect(),
        Kind::List { of, .. } => flattened(of),
        kind => vec![kind],
    }
}

fn is_service(kind: &Kind) -> bool {
    matches!(kind, Kind::Text(Format::Directory | Format::Api | Format::KeySet))
}

fn is_secret_somewhere(name: &str) -> bool {
    let known = tables().into_iter().filter_map(|table| table.key(name));
    known.map(|key| &key.kind).any(|kind| kind.is_secret() || kind.holds_hashes())
}

fn is_plain_somewhere(name: &str) -> bool {
    tables().iter().filter_map(|table| table.key(name)).any(|key| !key.kind.is_secret())
}
