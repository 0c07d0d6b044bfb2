//! TOML itself.

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use crate::complaint::{Complaint, Report};
use crate::hidden;
use crate::problem::Code;
use crate::source::{File, Span};

/// The file's text as TOML, or `None` where its structure is in doubt: what can be recovered then
/// would only be good for complaints that are none.
pub(crate) fn parse<'a>(file: &'a File, report: &Report<'_>) -> Option<DeTable<'a>> {
    let text = file.text.as_str();
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = moved(table.into_inner(), file.start);
    report.hide(hidden::spans(&table));
    let mut last_line = None;
    for error in &errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        report.hide_in_broken_line(file.start + span.start);
        // One slip makes several complaints; the first of a line says it.
        let line = text[..text.floor_char_boundary(span.start)].matches('\n').count();
        if last_line != Some(line) {
            report.add(Some(&shifted(&span, file.start)), complaint(error, text, &span));
        }
        last_line = Some(line);
    }
    errors.iter().all(is_duplicate).then_some(table)
}

/// The table of a file that stands behind others: its spans are those of its text, and become those
/// of all texts.
fn moved(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    if by == 0 {
        return table;
    }
    table
        .into_iter()
        .map(|(key, value)| {
            let span = shifted(&key.span(), by);
            (Spanned::new(span, key.into_inner()), moved_value(value, by))
        })
        .collect()
}

fn moved_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = shifted(&value.span(), by);
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved(table, by)),
        DeValue::Array(list) => {
            DeValue::Array(list.into_iter().map(|item| moved_value(item, by)).collect())
        }
        plain => plain,
    };
    Spanned::new(span, value)
}

fn shifted(span: &Span, by: usize) -> Span {
    span.start + by..span.end + by
}

/// A key given twice leaves the structure whole, so that the rest can be read.
fn is_duplicate(error: &Error) -> bool {
    error.message() == "duplicate key"
}

fn complaint(error: &Error, text: &str, span: &Span) -> Complaint {
    let written = text.get(span.clone()).unwrap_or("").trim();
    if is_duplicate(error) {
        return Complaint::new(Code::Syntax, format!("`{written}` is given twice"))
            .help("keep one of the two, or join them");
    }
    let message = error.message();
    let message = message.strip_suffix(", expected nothing").unwrap_or(message);
    Complaint::new(Code::Syntax, format!("this is not TOML: {message}")).help(
        "strings need quotes, lists are [\"a\", \"b\"], inline tables are { key = \"value\" }",
    )
}
