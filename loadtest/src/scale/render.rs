//! The result for people: a table for terminals, and one for pages.

use std::fmt::Write as _;

use super::report::{Group, Line, Report};
use crate::bench::number::three_digits;
use crate::bench::statistics::Spread;

/// Medians, and ratios with the smallest and the largest of the rounds.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for group in &report.groups {
        // Writing to a String cannot fail.
        _ = writeln!(out, "{:<64}  {}", group.title, group.against);
        for line in &group.lines {
            _ = writeln!(out, "{}", text_line(line).trim_end());
        }
        if let Some(note) = &group.note {
            _ = writeln!(out, "  {note}");
        }
        out.push('\n');
    }
    _ = writeln!(out, "gateway {}, {}", report.gateway, report.machine);
    _ = writeln!(out, "{} of {} s each", rounds(report), report.seconds);
    out
}

fn text_line(line: &Line) -> String {
    let median = line.spread().map(|spread| three_digits(spread.median));
    let median = median.unwrap_or_else(|| "-".into());
    let mut out = format!("  {:<40}{median:>7} {:<16}", line.title, line.unit);
    if let Some((ratio, spread)) =
        line.ratio.as_ref().and_then(|ratio| Some((ratio, ratio.spread()?)))
    {
        let met = if ratio.goal.is_met_by(spread.median) { "met" } else { "MISSED" };
        let Spread { median, min, max } = spread;
        _ = write!(out, "{median:>5.2} ({min:.2} to {max:.2})   {} {met}", ratio.goal);
    }
    out
}

/// A table for each thing that grew; date, version and machine.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    let Report { date, gateway, machine, seconds, .. } = report;
    _ = writeln!(
        out,
        "Measured on {date} with gateway {gateway}, on {machine}; {} of {seconds} s each.",
        rounds(report),
    );
    for group in &report.groups {
        markdown_group(&mut out, group);
    }
    out
}

fn markdown_group(out: &mut String, group: &Group) {
    _ = write!(out, "\n| {} | | {} | goal |\n|---|---|---|---|\n", group.title, group.against);
    for line in &group.lines {
        let shown = line.spread().map(|Spread { median, min, max }| {
            let [median, min, max] = [median, min, max].map(three_digits);
            format!("{median} ({min} to {max}) {}", line.unit)
        });
        _ = write!(out, "| {} | {} |", line.title, shown.unwrap_or_default());
        match line.ratio.as_ref().and_then(|ratio| Some((ratio, ratio.spread()?))) {
            Some((ratio, Spread { median, min, max })) => {
                let met = if ratio.goal.is_met_by(median) { "✓" } else { "missed" };
                _ = writeln!(
                    out,
                    " **{median:.2}** ({min:.2} to {max:.2}) | {} {met} |",
                    ratio.goal
                );
            }
            None => out.push_str(" | |\n"),
        }
    }
    if let Some(note) = &group.note {
        _ = write!(out, "\n{note}\n");
    }
}

fn rounds(report: &Report) -> String {
    if report.rounds == 1 { "1 round".into() } else { format!("{} rounds", report.rounds) }
}
