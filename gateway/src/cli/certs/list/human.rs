//! The list for people: a line for each certificate, and below it what there is to say.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::super::at::At;
use super::super::super::style::{Style, alarm, detail};
use super::{Row, Source};

/// A longer site name does not push the other columns away.
const WIDEST: usize = 40;

/// What ends sooner is shown in another colour.
const SOON: Duration = Duration::from_secs(14 * 86_400);

pub(super) fn render(rows: &[Row], now: At, colour: bool) -> String {
    let style = Style::new(colour);
    let longest = rows.iter().map(|row| row.site.chars().count()).max().unwrap_or(0);
    let width = longest.clamp(4, WIDEST);
    let Style { strong, off, .. } = style;
    let mut text = format!("{strong}{:width$}  FROM      KEY      EXPIRES{off}\n", "SITE");
    for row in rows {
        line(&mut text, style, row, width, now);
        details(&mut text, style, row, now);
    }
    text
}

fn line(text: &mut String, style: Style, row: &Row, width: usize, now: At) {
    let Style { strong, off, .. } = style;
    let from = match row.source {
        Source::Acme => "acme",
        Source::LocalCa => "local CA",
        Source::File => "file",
    };
    let key = row.key.as_deref().unwrap_or("-");
    let (colour, expires) = expires(style, row, now);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{strong}{:width$}{off}  {from:8}  {key:7}  {colour}{expires}{off}",
        row.site
    );
}

fn expires(style: Style, row: &Row, now: At) -> (&'static str, String) {
    match (row.not_after, row.source) {
        (Some(at), _) if at.0 < now.0 + SOON => (style.bad, at.both(now)),
        (Some(at), _) => (style.good, at.both(now)),
        (None, Source::LocalCa) => (style.dim, "made when the gateway starts".into()),
        (None, _) => (style.bad, "none yet".into()),
    }
}

fn details(text: &mut String, style: Style, row: &Row, now: At) {
    let mut say = |name, value: &str| detail(text, style, name, value);
    if row.names.len() > 1 || row.names.first().is_some_and(|name| *name != row.site) {
        say("names", &row.names.join(", "));
    }
    if let Some(issuer) = &row.issuer {
        say("issuer", issuer);
    }
    if let (Source::File, Some(file)) = (row.source, &row.file) {
        say("file", file);
    }
    if row.source == Source::Acme && row.not_after.is_none() {
        say("meanwhile", "a certificate of the local CA is served");
    }
    for problem in &row.problems {
        alarm(text, style, "problem", problem);
    }
    if let Some(attempts) = &row.attempts {
        attempts.tell(text, style, now);
    }
}
