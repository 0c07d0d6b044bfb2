//! One table of the file, together with the description of its keys.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{NamedNode, Node};
use crate::complaint::{Complaint, Report};
use crate::problem::Code;
use crate::source::Span;
use crate::spec::{KeySpec, Presence, ROOT, TableSpec, planned, tables};
use crate::suggest::{either, nearest};

/// A table whose keys are asked for one by one. `finish` reports those that nothing asked for.
pub(super) struct Table<'a> {
    pub(super) report: &'a Report<'a>,
    spec: &'static TableSpec,
    entries: &'a DeTable<'a>,
    span: Option<Span>,
    /// Whether it stands in the file; a default has no places.
    written: bool,
    /// What a sentence calls it: "limit `api`".
    label: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        report: &'a Report<'a>,
        spec: &'static TableSpec,
        entries: &'a DeTable<'a>,
        span: Option<Span>,
    ) -> Self {
        let label = format!("`{}`", spec.heading);
        let asked = RefCell::default();
        let written = span.is_some();
        Self { report, spec, entries, span, written, label, asked }
    }

    /// The whole file. What is missing in it has no place.
    pub(super) fn root(report: &'a Report<'a>, entries: &'a DeTable<'a>) -> Self {
        Self { written: true, ..Self::new(report, &ROOT, entries, None) }
    }

    pub(super) fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn complain(&self, complaint: Complaint) {
        self.report.add(self.span.as_ref(), complaint);
    }

    /// Whether this kind of table may have the key.
    pub(super) fn describes(&self, key: &str) -> bool {
        self.spec.key(key).is_some()
    }

    /// Whether a key is there, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// A string as it was written, for labels.
    pub(super) fn peek_text(&self, key: &str) -> Option<&'a str> {
        self.entries.get(key)?.get_ref().as_str()
    }

    /// The place of a key itself.
    pub(super) fn key_span(&self, key: &str) -> Option<Span> {
        let (key, _) = self.entries.get_key_value(key)?;
        self.written.then(|| key.span())
    }

    /// The first key of a kind that the description does not know, if it holds a table.
    pub(super) fn stray_table(&self) -> Option<&'a str> {
        let stray =
            |key: &str| self.spec.key(key).is_none() && planned(self.spec.id, key).is_none();
        self.entries
            .iter()
            .find(|(key, value)| stray(key.get_ref()) && value.get_ref().is_table())
            .map(|(key, _)| key.get_ref().as_ref())
    }

    fn spec_of(&self, key: &'static str) -> Option<&'static KeySpec> {
        let spec = self.spec.key(key);
        debug_assert!(spec.is_some(), "`{key}` of {} is read and not described", self.spec.heading);
        self.asked.borrow_mut().push(key);
        spec
    }

    /// What the file says about a key.
    pub(super) fn given(&self, key: &'static str) -> Option<Node<'a>> {
        let spec = self.spec_of(key)?;
        let Some(value) = self.entries.get(key) else {
            if let Presence::Required(help) = spec.presence {
                self.missing(key, help);
            }
            return None;
        };
        let span = self.written.then(|| value.span());
        Some(Node::of_key(self.report, spec, value.get_ref(), span))
    }

    /// What the file says about a key, or else what its default says. `None` where it has none, and
    /// after a problem.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        read: impl Fn(Node<'_>) -> Option<T>,
    ) -> Option<T> {
        if let Some(value) = self.given(key).and_then(&read) {
            return Some(value);
        }
        let spec = self.spec.key(key)?;
        let Presence::Default(text) = spec.presence else {
            return None;
        };
        let default = DeValue::parse(text).ok()?;
        read(Node::of_key(self.report, spec, default.get_ref(), None))
    }

    /// What the file says under names of its own choice, in its order, where the table has a key that
    /// stands for them.
    pub(super) fn chosen(&self, open: &'static str) -> Vec<NamedNode<'a>> {
        let Some(spec) = self.spec_of(open) else { return Vec::new() };
        let chosen = in_order(self.entries).into_iter();
        let chosen = chosen.filter(|(name, ..)| self.spec.key(name).is_none() || *name == open);
        let named = chosen.map(|(name, span, value)| {
            let place = self.written.then(|| value.span());
            let mut node = Node::of_key(self.report, spec, value.get_ref(), place);
            node.name = name;
            NamedNode { name, span, node }
        });
        named.collect()
    }

    /// Whether a key that nobody knows was probably meant to be this one. What is missing then is
    /// said once, where it was misspelled.
    fn is_misspelled(&self, key: &str) -> bool {
        let unknown = self.entries.keys().map(|key| key.get_ref());
        let mut unknown = unknown.filter(|written| self.spec.key(written).is_none());
        unknown.any(|written| self.nearest(written) == Some(key))
    }

    fn nearest(&self, written: &str) -> Option<&'static str> {
        nearest(written, self.spec.keys().map(|key| key.name))
    }

    fn missing(&self, key: &str, help: &str) {
        if self.is_misspelled(key) {
            return;
        }
        let message = if self.spec.id == "gateway" {
            format!("there is no `{key}`")
        } else {
            format!("{} has no `{key}`", self.label)
        };
        let code = if key == "site" { Code::NoSites } else { Code::MissingKey };
        self.complain(Complaint::new(code, message).help(help));
    }

    /// Reports every key that the description does not have, and a broken "exactly one of".
    pub(super) fn finish(self) {
        self.check_one_of();
        for (key, span, _) in in_order(self.entries) {
            if self.spec.key(key).is_none() && self.spec.open_key().is_none() {
                self.report.add(self.written.then_some(&span), self.unknown(key));
            }
        }
        let asked = self.asked.borrow();
        let unread = self.spec.keys().find(|key| !asked.contains(&key.name));
        debug_assert!(
            unread.is_none(),
            "`{}` of {} is described and not read",
            unread.map_or("", |key| key.name),
            self.spec.heading,
        );
    }

    fn check_one_of(&self) {
        let one_of = self.spec.one_of;
        let mut given: Vec<(&str, Span)> =
            one_of.iter().filter_map(|key| Some((*key, self.key_span(key)?))).collect();
        given.sort_by_key(|(_, span)| span.start);
        match given.as_slice() {
            [] if one_of.is_empty() => {}
            [] if one_of.iter().any(|key| self.is_misspelled(key)) => {}
            [] => self.nothing_of(one_of),
            [_] => {}
            [(first, first_span), rest @ ..] => {
                for (key, span) in rest {
                    let message = format!("{} has both `{first}` and `{key}`", self.label);
                    let complaint = Complaint::new(Code::ConflictingKeys, message)
                        .help(format!(
                            "keep one of them; only one of {} may be given",
                            either(one_of.iter().copied())
                        ))
                        .related(first_span, "the first");
                    self.report.add(Some(span), complaint);
                }
            }
        }
    }

    fn nothing_of(&self, one_of: &[&'static str]) {
        let keys = either(one_of.iter().copied());
        let complaint = Complaint::new(Code::MissingKey, format!("{} has no {keys}", self.label));
        let examples: Vec<String> = one_of
            .iter()
            .filter_map(|key| self.spec.key(key))
            .map(|key| format!("{} = {}", key.name, key.example))
            .collect();
        self.complain(complaint.help(format!("add one of them: {}", examples.join(", or "))));
    }

    fn unknown(&self, key: &str) -> Complaint {
        if let Some(planned) = planned(self.spec.id, key) {
            let message = format!("`{}` is not in this version of the gateway yet", planned.key);
            return Complaint::new(Code::NotYet, message).help(planned.until_then);
        }
        let message = format!("`{key}` is not a key of {}", self.label);
        let names = self.spec.keys().map(|key| key.name);
        let help = match self.nearest(key) {
            Some(name) => format!("did you mean `{name}`?"),
            None => match elsewhere(key) {
                Some(heading) => format!("`{key}` belongs in `{heading}`"),
                None => format!("the keys here are {}", either(names).replace(" or ", " and ")),
            },
        };
        Complaint::new(Code::UnknownKey, message).help(help)
    }
}

/// One entry: the key, its place, and its value.
pub(super) type Entry<'a> = (&'a str, Span, &'a Spanned<DeValue<'a>>);

/// Every entry of a table, in the order of the file.
pub(super) fn in_order<'a>(entries: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut list: Vec<_> =
        entries.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
    list.sort_by_key(|(_, span, _)| span.start);
    list
}

/// The table that has this key, if only one has.
fn elsewhere(key: &str) -> Option<&'static str> {
    let mut tables = tables().into_iter().filter(|table| table.key(key).is_some());
    match (tables.next(), tables.next()) {
        (Some(table), None) => Some(table.heading),
        _ => None,
    }
}
