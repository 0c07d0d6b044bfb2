//! The tables of a run.

use std::fmt::Write as _;

use super::escape::escaped;
use crate::cli::summary::{change, grouped, values};
use crate::difference::{Comparison, Judgement};
use crate::result::{Percentiles, RunResult};
use crate::scenario::text::format_size;

/// A table with a heading; the first column is text, the others are numbers.
fn table(title: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let title = escaped(title);
    let class = if columns.len() < 5 { "short" } else { "long" };
    let mut out =
        format!("<section><h2>{title}</h2><div class=\"wide\"><table class=\"{class}\"><tr>");
    for column in columns {
        let _ = write!(out, "<th>{}</th>", escaped(column));
    }
    out.push_str("</tr>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div></section>\n");
    out
}

fn cells(latency: Option<&Percentiles>) -> Vec<String> {
    let Some(Percentiles { min, mean, p50, p90, p99, p99_9, max }) = latency else {
        return vec!["–".into(); 7];
    };
    [min, mean, p50, p90, p99, p99_9, max].map(|ms| format!("{ms:.3}")).into()
}

pub(super) fn by_request(result: &RunResult) -> String {
    let row = |name: &str, requests: u64, errors: u64, latency: Option<&Percentiles>| {
        let mut row = vec![escaped(name), grouped(requests), grouped(errors)];
        row.extend(cells(latency));
        row
    };
    let mut rows: Vec<_> = result
        .by_request
        .iter()
        .map(|of| row(&of.name, of.requests, of.errors, of.latency_ms.as_ref()))
        .collect();
    if rows.len() > 1 {
        rows.push(row("all", result.requests, result.errors.total, result.latency_ms.as_ref()));
    }
    let columns =
        ["request", "requests", "errors", "min", "mean", "p50", "p90", "p99", "p99.9", "max (ms)"];
    table("By request", &columns, &rows)
}

/// "met" and "better" are green, and their opposites red, with the word for those who see neither.
fn word(text: &str, is_good: Option<bool>) -> String {
    match is_good {
        Some(true) => format!("<b class=\"good\">{text}</b>"),
        Some(false) => format!("<b class=\"bad\">{text}</b>"),
        None => text.to_owned(),
    }
}

pub(super) fn objectives(result: &RunResult) -> String {
    let rows = result.slo.iter().map(|verdict| {
        let met = word(if verdict.met { "met" } else { "missed" }, Some(verdict.met));
        vec![escaped(&verdict.expression), escaped(&verdict.actual), met]
    });
    table("Objectives", &["objective", "measured", "verdict"], &rows.collect::<Vec<_>>())
}

pub(super) fn comparison(comparison: &Comparison) -> String {
    let rows = comparison.figures.iter().map(|figure| {
        let is_good = match figure.verdict {
            Judgement::Better => Some(true),
            Judgement::Worse => Some(false),
            Judgement::NoDifferenceSeen | Judgement::TooShort => None,
        };
        let word = word(figure.verdict.as_str(), is_good);
        vec![escaped(&figure.figure), values(figure), change(figure), word]
    });
    let title = format!("Compared with {} of {}", comparison.old_name, comparison.old_started);
    let rows: Vec<_> = rows.collect();
    let columns = ["figure", "old → new", "change with interval", "verdict"];
    let mut out = table(&title, &columns, &rows);
    let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(&comparison.method));
    for unlike in &comparison.unlike {
        let _ = writeln!(out, "<p class=\"note\">Asked differently: {}</p>", escaped(unlike));
    }
    out
}

pub(super) fn errors(result: &RunResult) -> String {
    let rows = result.errors.by_kind.iter().map(|(kind, count)| {
        let example = result.errors.examples.get(kind).map_or("", String::as_str);
        vec![
            escaped(kind),
            grouped(*count),
            format!("<span class=\"text\">{}</span>", escaped(example)),
        ]
    });
    table("Errors", &["kind", "count", "the first of them"], &rows.collect::<Vec<_>>())
}

pub(super) fn details(result: &RunResult) -> String {
    let of = &result.connections;
    let mut rows = vec![
        vec!["connections opened".into(), grouped(of.opened)],
        vec!["connections that failed".into(), grouped(of.failed)],
    ];
    if let Some(handshake) = &result.handshake_ms {
        rows.push(vec!["full TLS handshakes".into(), grouped(of.handshakes_full)]);
        rows.push(vec!["resumed TLS handshakes".into(), grouped(of.handshakes_resumed)]);
        let (p50, p99) = (handshake.p50, handshake.p99);
        rows.push(vec!["TCP and TLS, p50 and p99".into(), format!("{p50:.3} and {p99:.3} ms")]);
    }
    if let Some(idle) = &result.idle {
        let (count, lost) = (grouped(idle.connections), grouped(idle.lost));
        rows.push(vec!["held idle".into(), format!("{count}, {lost} lost")]);
    }
    let transferred = [("received", result.bytes_in), ("sent", result.bytes_out)];
    rows.extend(transferred.map(|(what, bytes)| vec![what.into(), format_size(bytes)]));
    let statuses = result.statuses.iter();
    rows.extend(statuses.map(|(status, count)| vec![format!("status {status}"), grouped(*count)]));
    rows.push(vec!["CPU time of loadtest".into(), format!("{:.2} s", result.cpu_s)]);
    table("Connections and answers", &["", ""], &rows)
}
