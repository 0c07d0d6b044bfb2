//! One value of the file, together with what the language says that it may be.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use super::table::{Entry, Table, in_order};
use super::variants;
use crate::complaint::{Complaint, Report};
use crate::problem::Code;
use crate::source::Span;
use crate::spec::{Format, KeySpec, Kind};
use crate::suggest::nearest;
use crate::text::parse_file;

/// A value, its place, and its kind.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) kind: &'static Kind,
    /// The key's name, or what else a sentence calls the value.
    pub(super) name: &'a str,
    pub(super) value: &'a DeValue<'a>,
    /// The key and a good value, for those who wrote something quite different.
    pub(super) example: Option<&'static KeySpec>,
    start: usize,
    end: usize,
    /// A default has no place in the file.
    written: bool,
}

/// A value under a name that the file chose.
pub(super) struct NamedNode<'a> {
    pub(super) name: &'a str,
    /// The name's place.
    pub(super) span: Span,
    pub(super) node: Node<'a>,
}

static HEADER_VALUE: Kind = Kind::Text(Format::HeaderValue);

/// A value of one of the TOML types that its kind allows.
pub(super) enum Shape<'a> {
    Bool(bool),
    /// In the range of its kind.
    Number(u32),
    Text(&'a str),
    List(Vec<Node<'a>>),
    Table(Table<'a>),
}

impl<'a> Node<'a> {
    pub(super) fn of_key(
        report: &'a Report<'a>,
        spec: &'static KeySpec,
        value: &'a DeValue<'a>,
        span: Option<Span>,
    ) -> Self {
        let written = span.is_some();
        let Span { start, end } = span.unwrap_or(0..0);
        let (kind, name, example) = (&spec.kind, spec.name, Some(spec));
        Self { report, kind, name, value, example, start, end, written }
    }

    /// A value inside this one.
    fn inner(&self, kind: &'static Kind, name: &'a str, value: &'a Spanned<DeValue<'a>>) -> Self {
        let Span { start, end } = value.span();
        Self { kind, name, value: value.get_ref(), start, end, ..*self }
    }

    pub(super) fn span(&self) -> Option<Span> {
        self.written.then_some(self.start..self.end)
    }

    pub(super) fn complain(&self, complaint: Complaint) {
        self.report.add(self.span().as_ref(), complaint);
    }

    /// The value, where its type is one that the kind allows; otherwise the mismatch is reported.
    pub(super) fn shape(&self) -> Option<Shape<'a>> {
        let Some(kind) = alternatives(self.kind).iter().find(|kind| takes(kind, self.value)) else {
            self.wrong_type();
            return None;
        };
        match (kind, self.value) {
            (_, DeValue::Boolean(value)) => Some(Shape::Bool(*value)),
            (_, DeValue::Integer(integer)) => {
                let value = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
                self.number(kind, value).map(Shape::Number)
            }
            (Kind::Choice(words), DeValue::String(text)) => {
                self.chosen(words, text).map(Shape::Text)
            }
            (_, DeValue::String(text)) => Some(Shape::Text(text)),
            (Kind::List { of, may_be_empty }, DeValue::Array(items)) => {
                if items.is_empty() && !may_be_empty {
                    self.empty_list();
                    return None;
                }
                let items = items.iter().map(|item| self.inner(of, self.name, item));
                Some(Shape::List(items.collect()))
            }
            (Kind::Table(spec), DeValue::Table(entries)) => {
                Some(Shape::Table(Table::new(self.report, spec, entries, self.span())))
            }
            (Kind::Variants { tag, tables }, DeValue::Table(entries)) => {
                let spec = variants::choose(self, *tag, tables, entries)?;
                Some(Shape::Table(Table::new(self.report, spec, entries, self.span())))
            }
            _ => None,
        }
    }

    /// The entries of a table whose keys are chosen by the file, in its order.
    pub(super) fn entries(&self) -> Vec<NamedNode<'a>> {
        let of = match self.kind {
            Kind::Named { of, .. } => of,
            Kind::Headers => &HEADER_VALUE,
            _ => return Vec::new(),
        };
        let DeValue::Table(entries) = self.value else {
            self.wrong_type();
            return Vec::new();
        };
        let entry = |(name, span, value): Entry<'a>| NamedNode {
            name,
            span,
            node: self.inner(of, name, value),
        };
        in_order(entries).into_iter().map(entry).collect()
    }

    /// A string, whatever it holds.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.shape()? {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Reads a string in one of the small languages; its complaint gets this place.
    pub(super) fn parse<T>(
        &self,
        format: Format,
        parse: impl Fn(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        debug_assert!(
            alternatives(self.kind)
                .iter()
                .any(|kind| matches!(kind, Kind::Text(f) if *f == format)),
            "`{}` is read as {format:?} and described as {:?}",
            self.name,
            self.kind,
        );
        match parse(self.text()?) {
            Ok(value) => Some(value),
            Err(complaint) => {
                self.complain(complaint);
                None
            }
        }
    }

    /// Reads the name of a file or folder. A relative one begins at the folder of the file that it
    /// stands in.
    pub(super) fn path(&self, format: Format) -> Option<PathBuf> {
        self.parse(format, |text| parse_file(text, self.base()))
    }

    /// Where a relative path begins that stands here.
    pub(super) fn base(&self) -> &'a Path {
        self.report.base(self.start)
    }

    pub(super) fn list(&self) -> Option<Vec<Self>> {
        match self.shape()? {
            Shape::List(items) => Some(items),
            _ => None,
        }
    }

    /// Every entry that can be read; the others have been reported.
    pub(super) fn each<T>(&self, read: impl Fn(&Self) -> Option<T>) -> Option<Vec<T>> {
        Some(self.list()?.iter().filter_map(read).collect())
    }

    pub(super) fn table(&self) -> Option<Table<'a>> {
        match self.shape()? {
            Shape::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(super) fn bool(&self) -> Option<bool> {
        match self.shape()? {
            Shape::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn count(&self) -> Option<u32> {
        match self.shape()? {
            Shape::Number(value) => Some(value),
            _ => None,
        }
    }

    fn number(&self, kind: &Kind, value: Option<i64>) -> Option<u32> {
        let (least, most) = match kind {
            Kind::Count { most } => (1, *most),
            Kind::Number { least, most, .. } => (u32::from(*least), u32::from(*most)),
            _ => return None,
        };
        let only = match kind {
            Kind::Number { only, .. } => *only,
            _ => &[],
        };
        let number = value.and_then(|value| u32::try_from(value).ok());
        let good = number.filter(|number| {
            (least..=most).contains(number)
                && (only.is_empty() || only.iter().any(|one| u32::from(*one) == *number))
        });
        if good.is_none() {
            let code = match self.name {
                "status" => Code::BadStatus,
                _ => Code::BadNumber,
            };
            let help = match only {
                [] => format!("write a number from {least} to {most}"),
                _ => format!("write {}", self.kind.phrase()),
            };
            let written = plain_value(self.value);
            let name = self.name;
            self.complain(Complaint::new(code, format!("`{name}` cannot be {written}")).help(help));
        }
        good
    }

    fn chosen(&self, words: &'static [&'static str], text: &str) -> Option<&'static str> {
        let found = words.iter().copied().find(|word| *word == text);
        if found.is_none() {
            let help = match nearest(text, words.iter().copied()) {
                Some(word) => format!("did you mean \"{word}\"?"),
                None => format!("write {}", self.kind.phrase()),
            };
            let message = format!("`{}` cannot be \"{text}\"", self.name);
            self.complain(Complaint::new(Code::BadChoice, message).help(help));
        }
        found
    }

    fn empty_list(&self) {
        let help = match self.name {
            "allow" => "remove the key to let everyone in, or write deny = [\"0.0.0.0/0\", \"::/0\"] to let no one in".into(),
            name => format!("name at least one, or remove `{name}`"),
        };
        let message = format!("`{}` is an empty list", self.name);
        self.complain(Complaint::new(Code::EmptyList, message).help(help));
    }
}

pub(super) fn alternatives(kind: &'static Kind) -> &'static [Kind] {
    match kind {
        Kind::Either(kinds) => kinds,
        kind => std::slice::from_ref(kind),
    }
}

fn takes(kind: &Kind, value: &DeValue<'_>) -> bool {
    match kind {
        Kind::Bool => value.is_bool(),
        Kind::Text(_) | Kind::Choice(_) => value.is_str(),
        Kind::Count { .. } | Kind::Number { .. } => value.is_integer(),
        Kind::List { .. } => value.is_array(),
        Kind::Table(_) | Kind::Variants { .. } | Kind::Named { .. } | Kind::Headers => {
            value.is_table()
        }
        Kind::Either(kinds) => kinds.iter().any(|kind| takes(kind, value)),
    }
}

pub(super) fn plain_value(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        other => other.type_str().into(),
    }
}
