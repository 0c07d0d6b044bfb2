//! One value of the file: its type is asked for, and what is wrong with it is reported.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use super::table::Table;
use crate::scenario::problem::{Complaint, Report, Span};
use crate::scenario::suggest::{listed, nearest};

/// A value and its place.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) key: &'a str,
    pub(super) span: Span,
    value: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    pub(super) fn new(
        report: &'a Report<'a>,
        key: &'a str,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Self {
        Self { report, key, span: value.span(), value: value.get_ref() }
    }

    pub(super) fn complain(&self, message: impl Into<String>, help: impl Into<String>) {
        self.report.add(Some(&self.span), Complaint::new(message, help));
    }

    fn wrong_type(&self, wanted: &str) {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let Self { key, .. } = self;
        self.complain(
            format!("`{key}`: expected {wanted}, found {found}"),
            format!("write {wanted}"),
        );
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        let DeValue::String(text) = self.value else {
            self.wrong_type("a string");
            return None;
        };
        Some(text)
    }

    /// Reads a string in one of the small languages.
    pub(super) fn parse<T>(&self, read: impl Fn(&str) -> Result<T, Complaint>) -> Option<T> {
        let read = match self.value {
            // A number without its unit is answered by the parser, which knows the units.
            DeValue::Integer(number) => read(number.as_str()),
            _ => read(self.text()?),
        };
        read.map_err(|complaint| self.report.add(Some(&self.span), complaint)).ok()
    }

    pub(super) fn bool(&self) -> Option<bool> {
        let DeValue::Boolean(value) = self.value else {
            self.wrong_type("true or false");
            return None;
        };
        Some(*value)
    }

    /// A whole number in a range.
    pub(super) fn number(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let DeValue::Integer(written) = self.value else {
            self.wrong_type(&format!("a number from {} to {}", range.start(), range.end()));
            return None;
        };
        let number = i128::from_str_radix(written.as_str(), written.radix()).ok();
        let number = number.and_then(|number| u64::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!("`{}` cannot be {}", self.key, written.as_str());
            self.complain(
                message,
                format!("write a number from {} to {}", range.start(), range.end()),
            );
        }
        number
    }

    /// Like [`Self::number`], of 32 bits.
    pub(super) fn count(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let (least, most) = (u64::from(*range.start()), u64::from(*range.end()));
        self.number(least..=most).and_then(|number| u32::try_from(number).ok())
    }

    pub(super) fn is_number(&self) -> bool {
        self.value.is_integer()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let names = words.iter().map(|(word, _)| *word);
            let help = match nearest(text, names.clone()) {
                Some(word) => format!("did you mean \"{word}\"?"),
                None => {
                    let names = listed(names, "or").replace('`', "\"");
                    format!("write {names}")
                }
            };
            self.complain(format!("`{}` cannot be \"{text}\"", self.key), help);
        }
        found
    }

    /// The items of a list, which is not empty.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let DeValue::Array(items) = self.value else {
            self.wrong_type("a list");
            return None;
        };
        if items.is_empty() {
            let Self { key, .. } = self;
            self.complain(
                format!("`{key}` is an empty list"),
                format!("name at least one, or remove `{key}`"),
            );
        }
        Some(items.iter().map(|item| Self::new(self.report, self.key, item)).collect())
    }

    /// Every item of a list that can be read; the others have been reported.
    pub(super) fn each<T>(&self, read: impl Fn(&Self) -> Option<T>) -> Option<Vec<T>> {
        Some(self.list()?.iter().filter_map(read).collect())
    }

    pub(super) fn table(&self, label: impl Into<String>) -> Option<Table<'a>> {
        let DeValue::Table(entries) = self.value else {
            self.wrong_type("a table");
            return None;
        };
        Some(Table::new(self.report, entries, Some(self.span.clone()), label))
    }

    /// The entries of a table whose keys are chosen by the file, in its order.
    pub(super) fn entries(&self) -> Option<Vec<(&'a str, Span, Value<'a>)>> {
        let DeValue::Table(entries) = self.value else {
            self.wrong_type("a table");
            return None;
        };
        let entry = entries.iter().map(|(name, value)| {
            let written = name.get_ref().as_ref();
            (written, name.span(), Self::new(self.report, written, value))
        });
        let mut entries: Vec<_> = entry.collect();
        entries.sort_by_key(|(_, span, _)| span.start);
        Some(entries)
    }
}
