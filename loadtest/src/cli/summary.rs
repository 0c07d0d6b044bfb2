//! What people read when a run is over.

use std::fmt::Write as _;

use crate::difference::{Compared, Comparison, Judgement};
use crate::result::{Percentiles, RunResult};
use crate::scenario::text::format_size;

/// Paints a text where colours may be.
pub(super) struct Paint(pub(super) bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn verdict(&self, is_good: bool, text: &str) -> String {
        self.with(if is_good { "1;32" } else { "1;31" }, text)
    }
}

/// The result in some lines.
pub(super) fn summary(result: &RunResult, threads: usize, paint: &Paint) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_summary(&mut out, result, threads, paint);
    out
}

fn write_summary(
    out: &mut String,
    result: &RunResult,
    threads: usize,
    paint: &Paint,
) -> std::fmt::Result {
    let (requests, errors) = (grouped(result.requests), result.errors.total);
    let errors_shown =
        format!("{} errors ({:.3} %)", grouped(errors), share(errors, result.requests));
    let errors_shown =
        if errors > 0 { paint.verdict(false, &errors_shown) } else { "no errors".to_owned() };
    writeln!(out, "{}", paint.with("1", &result.name))?;
    writeln!(out, "  requests     {requests}, {:.1}/s, {errors_shown}", result.rate_per_s)?;
    if let Some(latency) = &result.latency_ms {
        writeln!(out, "  latency      {}", percentiles(latency))?;
    }
    if let Some(handshake) = &result.handshake_ms {
        let of = &result.connections;
        let (full, resumed) = (grouped(of.handshakes_full), grouped(of.handshakes_resumed));
        writeln!(out, "  handshakes   {full} full, {resumed} resumed; {}", percentiles(handshake))?;
    }
    if let Some(idle) = &result.idle {
        let (count, after, lost) =
            (grouped(idle.connections), idle.all_open_after_s, grouped(idle.lost));
        writeln!(out, "  idle         {count} open after {after:.3} s, {lost} lost")?;
    }
    let (bytes_in, bytes_out) = (format_size(result.bytes_in), format_size(result.bytes_out));
    writeln!(out, "  transferred  {bytes_in} in, {bytes_out} out")?;
    let per_cpu =
        result.requests_per_cpu_s.map(|rate| format!(", {rate:.0} requests a CPU second"));
    writeln!(out, "  client CPU   {:.2} s{}", result.cpu_s, per_cpu.unwrap_or_default())?;
    write_requests(out, result)?;
    for (kind, count) in &result.errors.by_kind {
        let example = result.errors.examples.get(kind).map_or("", String::as_str);
        writeln!(
            out,
            "  {} {kind}: {}",
            paint.verdict(false, &grouped(*count)),
            printable(example)
        )?;
    }
    write_busy(out, result, threads, paint)?;
    for verdict in &result.slo {
        let word = if verdict.met { "met   " } else { "missed" };
        let word = paint.verdict(verdict.met, word);
        writeln!(out, "  SLO {word}   {}: {}", verdict.expression, verdict.actual)?;
    }
    if let Some(comparison) = &result.comparison {
        write_comparison(out, comparison, paint)?;
    }
    Ok(())
}

fn write_requests(out: &mut String, result: &RunResult) -> std::fmt::Result {
    if result.by_request.len() < 2 {
        return Ok(());
    }
    let longest = result.by_request.iter().map(|request| request.name.chars().count()).max();
    let width = longest.unwrap_or_default();
    for request in &result.by_request {
        let latency = request.latency_ms.as_ref().map(percentiles).unwrap_or_default();
        let (count, errors) = (grouped(request.requests), grouped(request.errors));
        writeln!(
            out,
            "    {:width$}  {count}, {errors} errors; {latency}",
            printable(&request.name)
        )?;
    }
    Ok(())
}

/// A client at its limit measures itself.
fn write_busy(
    out: &mut String,
    result: &RunResult,
    threads: usize,
    paint: &Paint,
) -> std::fmt::Result {
    #[expect(clippy::cast_precision_loss, reason = "at most 256 threads")]
    let busy = result.cpu_s / result.duration_s / threads as f64;
    if busy > 0.9 {
        let note = format!("note: loadtest itself was busy for {:.0} % of the time", busy * 100.0);
        let what = "what you see may be its own limit, so try more --threads or less load";
        writeln!(out, "  {}: {what}", paint.with("1;33", &note))?;
    }
    Ok(())
}

fn write_comparison(out: &mut String, comparison: &Comparison, paint: &Paint) -> std::fmt::Result {
    let Comparison { old_name, old_started, method, unlike, figures } = comparison;
    writeln!(out, "  compared with {} of {}", printable(old_name), printable(old_started))?;
    writeln!(out, "  {method}")?;
    for difference in unlike {
        let note = paint.with("1;33", "note: asked differently");
        writeln!(out, "  {note}: {}", printable(difference))?;
    }
    for figure in figures {
        let (values, change) = (values(figure), change(figure));
        let word = figure.verdict.as_str();
        let word = match figure.verdict {
            Judgement::Better => paint.verdict(true, word),
            Judgement::Worse => paint.verdict(false, word),
            _ => word.to_owned(),
        };
        writeln!(out, "    {:6}  {values:32}  {change:28}  {word}", figure.figure)?;
    }
    Ok(())
}

/// "1.400 ms → 1.200 ms"
pub(crate) fn values(figure: &Compared) -> String {
    let Compared { old, new, unit, .. } = figure;
    match unit.as_str() {
        "/s" => format!("{old:.1}/s → {new:.1}/s"),
        unit => format!("{old:.3} {unit} → {new:.3} {unit}"),
    }
}

/// "×0.857 [0.831, 0.884]"
pub(crate) fn change(figure: &Compared) -> String {
    match &figure.change {
        Some(change) if change.is_difference => {
            format!("{:+.3} [{:+.3}, {:+.3}]", change.value, change.low, change.high)
        }
        Some(change) => format!("×{:.3} [{:.3}, {:.3}]", change.value, change.low, change.high),
        None => String::new(),
    }
}

fn percentiles(latency: &Percentiles) -> String {
    let Percentiles { mean, p50, p90, p99, p99_9, max, .. } = latency;
    format!(
        "p50 {p50:.3}, p90 {p90:.3}, p99 {p99:.3}, p99.9 {p99_9:.3}, max {max:.3}, mean {mean:.3} ms"
    )
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

/// What a server or a file says must not steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
