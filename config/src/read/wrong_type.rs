//! Values of another type than their kind has, and what was probably meant.

use toml::Spanned;
use toml::de::DeValue;

use super::node::{Node, alternatives, plain_value};
use crate::complaint::Complaint;
use crate::problem::Code;
use crate::spec::{Format, Kind};

impl Node<'_> {
    /// Reports a value of a TOML type that its kind does not have.
    pub(super) fn wrong_type(&self) {
        let message = format!(
            "`{}`: expected {}, found {}",
            self.name,
            self.kind.phrase(),
            found(self.value)
        );
        let example =
            self.example.map(|key| format!("for instance {} = {}", key.shown_name(), key.example));
        let help = self.meant().or(example);
        self.complain(Complaint::new(Code::WrongType, message).help_if(help));
    }

    /// The right spelling, where the wrong type makes it plain what was meant.
    fn meant(&self) -> Option<String> {
        let kinds = alternatives(self.kind);
        let text = |format| kinds.iter().any(|kind| matches!(kind, Kind::Text(f) if *f == format));
        match self.value {
            DeValue::Integer(number) if text(Format::Duration) || text(Format::DurationOrZero) => {
                Some(format!("write the unit too, for instance \"{number}s\""))
            }
            DeValue::Integer(_) if text(Format::Size) => Some("write \"10MiB\"".into()),
            DeValue::Integer(number) if text(Format::Rate) => Some(format!("write \"{number}/s\"")),
            DeValue::Integer(number) if text(Format::Listen) => {
                Some(format!("write \"[::]:{number}\""))
            }
            DeValue::String(text) if kinds.iter().any(lists_strings) => {
                Some(format!("write a list: [{text:?}]"))
            }
            DeValue::String(text) if kinds.iter().any(takes_number) => {
                let number = text.parse::<u32>().ok()?;
                Some(format!("write {number} without quotes"))
            }
            DeValue::String(text) if matches!(text.as_ref(), "true" | "false") => {
                Some(format!("write {text} without quotes"))
            }
            DeValue::Array(items) => match items.iter().next().map(Spanned::get_ref) {
                Some(DeValue::String(text)) if items.len() == 1 => {
                    Some(format!("write {text:?} without brackets"))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

fn lists_strings(kind: &Kind) -> bool {
    let Kind::List { of, .. } = kind else { return false };
    !matches!(of, Kind::Table(_) | Kind::Variants { .. })
}

fn takes_number(kind: &Kind) -> bool {
    matches!(kind, Kind::Count { .. } | Kind::Number { .. })
}

/// A value's type with its article, and the value where it is short.
pub(super) fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.chars().count() <= 40 => format!("the string {text:?}"),
        DeValue::String(_) => "a string".into(),
        DeValue::Integer(_) => format!("the number {}", plain_value(value)),
        DeValue::Float(_) => format!("the number {}", plain_value(value)),
        DeValue::Boolean(value) => format!("{value}"),
        DeValue::Datetime(value) => format!("the date {value}"),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}
