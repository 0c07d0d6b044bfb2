//! The table for a page.

use std::fmt::Write as _;

use super::text::how;
use crate::bench::number::three_digits;
use crate::bench::statistics::Spread;
use crate::compare::report::{FigureReport, Report};

/// Medians with the smallest and the largest of the rounds behind them; date, versions, machine, and
/// which way the comparison leans.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    let peers = report.peers.iter().map(|peer| format!("{} {}", peer.name.as_str(), peer.version));
    // Writing to a String cannot fail.
    _ = writeln!(
        out,
        "Measured on {} with {}, on {}; {}.\n",
        report.date,
        peers.collect::<Vec<_>>().join(", "),
        report.machine,
        how(report),
    );
    out.push_str("| |");
    report.peers.iter().for_each(|peer| _ = write!(out, " {} |", peer.name.as_str()));
    out.push_str(" gateway / best peer | goal |\n|---|");
    report.peers.iter().for_each(|_| out.push_str("---|"));
    out.push_str("---|---|\n");
    report.figures.iter().for_each(|figure| line(&mut out, report, figure));
    out.push_str("\nWhere the work is not equal:\n\n");
    for peer in &report.peers {
        for note in peer.name.notes() {
            _ = writeln!(out, "- {}: {note}", peer.name.as_str());
        }
    }
    out
}

fn line(out: &mut String, report: &Report, figure: &FigureReport) {
    _ = write!(out, "| {}, {} |", figure.title, figure.unit);
    for peer in &report.peers {
        match figure.spread(peer.name) {
            Some(spread) => _ = write!(out, " {} |", with_range(spread)),
            None => out.push_str(" |"),
        }
    }
    match figure.against() {
        Some(against) => {
            let Spread { median, min, max } = against.ratio;
            let best = against.best.as_str();
            _ = write!(out, " **{median:.2}** ({min:.2} to {max:.2}) of {best} |");
        }
        None => out.push_str(" |"),
    }
    match (figure.goal, figure.met()) {
        (Some(goal), Some(true)) => _ = writeln!(out, " ≤ {goal:.2} ✓ |"),
        (Some(goal), _) => _ = writeln!(out, " ≤ {goal:.2} missed |"),
        _ => out.push_str(" |\n"),
    }
}

fn with_range(Spread { median, min, max }: Spread) -> String {
    format!("{} ({} to {})", three_digits(median), three_digits(min), three_digits(max))
}
