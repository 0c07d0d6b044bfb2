//! The report for browsers: one file that needs no other, and no network.

mod escape;
mod plot;
mod plots;
mod scale;
mod tables;

use std::fmt::Write as _;

use crate::cli::summary::grouped;
use crate::result::RunResult;
use escape::escaped;

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(crate) fn page(result: &RunResult) -> String {
    let name = escaped(&result.name);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{name}</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n\
         <header><h1>{name}</h1><p>{}</p></header>\n",
        escaped(&asked(result))
    );
    out.push_str(&tiles(result));
    out.push_str(&tables::objectives(result));
    if let Some(comparison) = &result.comparison {
        out.push_str(&tables::comparison(comparison));
    }
    if !result.histogram_us.is_empty() {
        out.push_str(&plots::percentiles(result));
    }
    if result.series.iter().any(|second| second.requests > 0) {
        let plots = [plots::rate(result), plots::latency(result), plots::errors(result)];
        out.extend(plots);
    }
    out.push_str(&tables::by_request(result));
    out.push_str(&tables::errors(result));
    out.push_str(&tables::details(result));
    out.push_str("</main></body></html>\n");
    out
}

/// What was asked for, in a line.
fn asked(result: &RunResult) -> String {
    let mut out = format!("{} to {}", result.protocol, result.target);
    let _ = write!(out, ", {} loop", result.mode);
    if let Some(rate) = result.rate_asked_per_s {
        let _ = write!(out, " at {rate:.0}/s");
    }
    let _ = write!(out, ", {} connections", grouped(result.connections_asked.into()));
    if result.streams > 1 {
        let _ = write!(out, " of {} streams", result.streams);
    }
    let _ = write!(out, ", {:.0} s, {}", result.duration_s, result.started);
    out
}

/// The figures to look at first.
fn tiles(result: &RunResult) -> String {
    let ms = |value: Option<f64>| value.map_or("–".into(), |ms| format!("{ms:.2} ms"));
    let latency = result.latency_ms.as_ref();
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let share = result.errors.total as f64 / result.requests.max(1) as f64 * 100.0;
    let error_class = if result.errors.total > 0 { "bad" } else { "good" };
    let tiles = [
        ("requests", grouped(result.requests), ""),
        ("rate, good answers", format!("{:.0}/s", result.rate_per_s), ""),
        ("p50", ms(latency.map(|latency| latency.p50)), ""),
        ("p99", ms(latency.map(|latency| latency.p99)), ""),
        ("p99.9", ms(latency.map(|latency| latency.p99_9)), ""),
        ("errors", format!("{share:.3} %"), error_class),
    ];
    let mut out = String::from("<dl class=\"tiles\">");
    for (name, value, class) in tiles {
        let _ = write!(out, "<div><dt>{name}</dt><dd class=\"{class}\">{value}</dd></div>");
    }
    out.push_str("</dl>\n");
    out
}
