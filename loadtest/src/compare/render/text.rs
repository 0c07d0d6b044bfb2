//! The table for a terminal.

use std::fmt::Write as _;

use crate::bench::number::three_digits;
use crate::compare::report::{FigureReport, Report};

/// Medians, and the ratio with the smallest and the largest of the rounds.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    _ = write!(out, "{:<46}", "");
    for peer in &report.peers {
        _ = write!(out, "{:>9}", peer.name.as_str());
    }
    out.push_str("   gateway / best peer           goal\n");
    for figure in &report.figures {
        line(&mut out, report, figure);
    }
    out.push('\n');
    let peers = report.peers.iter().map(|peer| format!("{} {}", peer.name.as_str(), peer.version));
    _ = writeln!(out, "{}", peers.collect::<Vec<_>>().join(", "));
    _ = writeln!(out, "{}", report.machine);
    _ = writeln!(out, "{}", how(report));
    out
}

fn line(out: &mut String, report: &Report, figure: &FigureReport) {
    _ = write!(out, "{:<46}", format!("{}, {}", figure.title, figure.unit));
    for peer in &report.peers {
        let median = figure.spread(peer.name).map(|spread| three_digits(spread.median));
        _ = write!(out, "{:>9}", median.unwrap_or_else(|| "-".into()));
    }
    if let Some(against) = figure.against() {
        let ratio = against.ratio;
        let spread = format!("({:.2} to {:.2})", ratio.min, ratio.max);
        _ = write!(out, "   {:>5.2} {spread:<15} {:<8}", ratio.median, against.best.as_str());
    }
    if let (Some(goal), Some(met)) = (figure.goal, figure.met()) {
        _ = write!(out, " ≤ {goal:.2} {}", if met { "met" } else { "MISSED" });
    }
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
}

/// How it was measured, in a line.
pub(super) fn how(report: &Report) -> String {
    let Report { rounds, seconds, server_cores, client_cores, .. } = report;
    let times = if *rounds == 1 { "round" } else { "rounds" };
    let mut how = format!(
        "{rounds} {times} of {seconds} s each; servers on core {server_cores}, client and origin on \
         core {client_cores}"
    );
    if let Some(rate) = report.latency_rate_per_s {
        _ = write!(how, "; latency at {rate:.0} requests/s");
    }
    how
}
