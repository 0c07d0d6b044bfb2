//! TOML itself.

use toml::de::{DeTable, Error};

use crate::complaint::{Complaint, Report};
use crate::hidden;
use crate::problem::Code;
use crate::source::Span;

/// The text as TOML, or `None` where its structure is in doubt: what can be recovered then would
/// only be good for complaints that are none.
pub(crate) fn parse<'a>(text: &'a str, report: &Report<'_>) -> Option<DeTable<'a>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    report.hide(hidden::spans(table.get_ref()));
    let mut last_line = None;
    for error in &errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        report.hide_in_broken_line(span.start);
        // One slip makes several complaints; the first of a line says it.
        let line = text[..text.floor_char_boundary(span.start)].matches('\n').count();
        if last_line != Some(line) {
            report.add(Some(&span), complaint(error, text, &span));
        }
        last_line = Some(line);
    }
    errors.iter().all(is_duplicate).then(|| table.into_inner())
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
