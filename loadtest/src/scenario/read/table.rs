//! One table of the file: keys are asked for one by one, and those that nobody asked for are
//! reported.

use std::cell::RefCell;

use toml::de::DeTable;

use super::value::Value;
use crate::scenario::problem::{Complaint, Report, Span};
use crate::scenario::suggest::{listed, nearest};

pub(super) struct Table<'a> {
    pub(super) report: &'a Report<'a>,
    entries: &'a DeTable<'a>,
    span: Option<Span>,
    /// What a sentence calls it.
    label: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        report: &'a Report<'a>,
        entries: &'a DeTable<'a>,
        span: Option<Span>,
        label: impl Into<String>,
    ) -> Self {
        Self { report, entries, span, label: label.into(), asked: RefCell::default() }
    }

    /// What the file says about a key.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        let value = self.entries.get(key)?;
        Some(Value::new(self.report, key, value))
    }

    /// What the file says about a key, or the default. Also the default where what it says is wrong:
    /// that has been reported, and nothing is made of this scenario.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> T {
        self.get(key).and_then(|value| read(&value)).unwrap_or(default)
    }

    /// Like [`Self::get`], for a key that must be there.
    pub(super) fn require(&self, key: &'static str, help: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        // What is misspelled is said once, where it stands.
        let mut written = self.entries.keys().map(|key| key.get_ref().as_ref());
        if value.is_none() && !written.any(|written| nearest(written, [key]).is_some()) {
            let message = format!("{} has no `{key}`", self.label);
            self.report.add(self.span.as_ref(), Complaint::new(message, help));
        }
        value
    }

    /// The place of a key itself.
    pub(super) fn key_span(&self, key: &str) -> Option<Span> {
        self.entries.get_key_value(key).map(|(key, _)| key.span())
    }

    /// Complains about a key that has no meaning beside others.
    pub(super) fn refuse(&self, key: &'static str, message: &str, help: &str) {
        if let Some(span) = self.key_span(key) {
            self.report.add(Some(&span), Complaint::new(message, help));
        }
    }

    /// Complains about all but the first of keys of which only one may be given.
    pub(super) fn only_one_of(&self, keys: &[&'static str]) {
        let mut given: Vec<_> =
            keys.iter().filter_map(|key| Some((self.key_span(key)?, *key))).collect();
        given.sort_by_key(|(span, _)| span.start);
        let Some(((_, first), others)) = given.split_first() else { return };
        for (span, key) in others {
            let message = format!("{} has both `{first}` and `{key}`", self.label);
            let help = format!("keep one of {}", listed(keys.iter().copied(), "and"));
            self.report.add(Some(span), Complaint::new(message, help));
        }
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for (key, _) in self.entries {
            let written = key.get_ref().as_ref();
            if asked.contains(&written) {
                continue;
            }
            let help = match nearest(written, asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys here are {}", listed(asked.iter().copied(), "and")),
            };
            let message = format!("`{written}` is not a key of {}", self.label);
            self.report.add(Some(&key.span()), Complaint::new(message, help));
        }
    }
}
