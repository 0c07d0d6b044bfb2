//! Which of several tables one is.

use toml::de::{DeTable, DeValue};

use super::node::Node;
use super::table::in_order;
use super::wrong_type::found;
use crate::complaint::Complaint;
use crate::problem::Code;
use crate::spec::{Kind, Presence, TableSpec};
use crate::suggest::nearest;

/// The table that is meant; a mistake in the key that tells has been reported.
pub(super) fn choose(
    node: &Node<'_>,
    tag: Option<&'static str>,
    tables: &[&'static TableSpec],
    entries: &DeTable<'_>,
) -> Option<&'static TableSpec> {
    let Some(tag) = tag else {
        return by_keys(node, tables, entries);
    };
    let Some(value) = entries.get(tag) else {
        node.complain(missing(node.name, tag, tables));
        return None;
    };
    let written = value.get_ref().as_str();
    let meant =
        tables.iter().find(|table| written.is_some_and(|text| words(table, tag).contains(&text)));
    if meant.is_none() {
        node.report.add(Some(&value.span()), wrong(tag, value.get_ref(), tables));
    }
    meant.copied()
}

/// The table whose keys are there. Keys of two tables exclude each other; one that all of them have
/// says nothing.
fn by_keys(
    node: &Node<'_>,
    tables: &[&'static TableSpec],
    entries: &DeTable<'_>,
) -> Option<&'static TableSpec> {
    let known = in_order(entries).into_iter().filter_map(|(name, span, _)| {
        let mut having = tables.iter().filter(|table| table.key(name).is_some());
        let table = having.next().filter(|_| having.next().is_none())?;
        Some((name, span, *table))
    });
    let known: Vec<_> = known.collect();
    let Some((first, first_span, table)) = known.first() else { return tables.first().copied() };
    let other = known.iter().find(|(_, _, other)| other.id != table.id);
    if let Some((second, span, _)) = other {
        let message = format!("`{}` has both `{first}` and `{second}`", node.name);
        let complaint = Complaint::new(Code::ConflictingKeys, message)
            .help("keep one of them")
            .related(first_span, "the first");
        node.report.add(Some(span), complaint);
        return None;
    }
    Some(*table)
}

/// What a table's tag may be.
fn words(table: &TableSpec, tag: &str) -> &'static [&'static str] {
    match table.key(tag).map(|key| &key.kind) {
        Some(Kind::Choice(words)) => words,
        _ => &[],
    }
}

fn missing(name: &str, tag: &str, tables: &[&'static TableSpec]) -> Complaint {
    let complaint = Complaint::new(Code::MissingKey, format!("`{name}` has no `{tag}`"));
    complaint.help_if(how_to_choose(tag, tables))
}

fn wrong(tag: &str, value: &DeValue<'_>, tables: &[&'static TableSpec]) -> Complaint {
    let Some(text) = value.as_str() else {
        let message = format!("`{tag}`: expected a string, found {}", found(value));
        return Complaint::new(Code::WrongType, message).help_if(how_to_choose(tag, tables));
    };
    let words = tables.iter().flat_map(|table| words(table, tag)).copied();
    let help = match nearest(text, words) {
        Some(word) => Some(format!("did you mean \"{word}\"?")),
        None => how_to_choose(tag, tables),
    };
    Complaint::new(Code::BadChoice, format!("`{tag}` cannot be \"{text}\"")).help_if(help)
}

fn how_to_choose(tag: &str, tables: &[&'static TableSpec]) -> Option<String> {
    let key = tables.first()?.key(tag)?;
    match key.presence {
        Presence::Required(help) => Some(help.to_owned()),
        _ => None,
    }
}
