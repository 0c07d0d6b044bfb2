//! The picture: for each line a bar a server, in units of the best peer.

use std::fmt::Write as _;

use crate::bench::number::three_digits;
use crate::compare::peer::Name;
use crate::compare::report::{FigureReport, Report};

const WIDTH: f64 = 880.0;
/// Where bars begin, and how long one of the best peer is.
const LEFT: f64 = 292.0;
const UNIT: f64 = 240.0;
/// Bars that would be longer are cut, with their number behind them.
const LONGEST: f64 = 2.0;
const BAR: f64 = 7.0;
/// Between the bars of one line, and between lines.
const GAP: f64 = 1.5;
const BETWEEN: f64 = 11.0;
const TOP: f64 = 98.0;
const BOTTOM: f64 = 34.0;

/// Light and dark by itself, no fonts but those that are there.
#[must_use]
pub fn svg(report: &Report) -> String {
    let lines = report.figures.len() as f64;
    let height = TOP + lines * line_height(report) + BOTTOM;
    let mut out = String::new();
    head(&mut out, report, height);
    legend(&mut out, report);
    axis(&mut out, height);
    for (number, figure) in report.figures.iter().enumerate() {
        line(&mut out, report, figure, TOP + number as f64 * line_height(report));
    }
    foot(&mut out, report, height);
    out.push_str("</svg>\n");
    out
}

fn line_height(report: &Report) -> f64 {
    report.peers.len() as f64 * (BAR + GAP) - GAP + BETWEEN
}

fn head(out: &mut String, report: &Report, height: f64) {
    // Writing to a String cannot fail.
    _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif">
  <title id="title">The gateway beside nginx, HAProxy and Caddy</title>
  <desc id="description">{}</desc>
  <style>
    .card {{ fill: #ffffff; stroke: #d0d7de }}
    text {{ fill: #1f2328; font-size: 13px }}
    .name {{ font-size: 15px; font-weight: 600 }}
    .small {{ font-size: 11px; fill: #59636e }}
    .cut {{ font-size: 9px; fill: #59636e }}
    .ratio {{ font-weight: 600 }}
    .one {{ stroke: #59636e; stroke-dasharray: 3 3 }}
    .axis {{ stroke: #d0d7de }}
    .gateway {{ fill: #0969da }}
    .nginx {{ fill: #57606a }}
    .haproxy {{ fill: #8c959f }}
    .caddy {{ fill: #c4cbd3 }}
    @media (prefers-color-scheme: dark) {{
      .card {{ fill: #0d1117; stroke: #30363d }}
      text {{ fill: #e6edf3 }}
      .small {{ fill: #9da7b3 }}
      .cut {{ fill: #9da7b3 }}
      .one {{ stroke: #9da7b3 }}
      .axis {{ stroke: #30363d }}
      .gateway {{ fill: #58a6ff }}
      .nginx {{ fill: #b1bac4 }}
      .haproxy {{ fill: #7d8590 }}
      .caddy {{ fill: #484f58 }}
    }}
  </style>
  <rect class="card" x="0.5" y="0.5" width="{}" height="{}" rx="10"/>"#,
        described(report),
        WIDTH - 1.0,
        height - 1.0,
    );
}

/// The picture in words, for those who cannot see it.
fn described(report: &Report) -> String {
    let lines = report.figures.iter().filter_map(|figure| {
        let against = figure.against()?;
        let (best, ratio) = (against.best.as_str(), against.ratio.median);
        Some(format!("{}: {ratio:.2} of {best}", figure.title))
    });
    format!("What the gateway takes, by the best peer. {}.", lines.collect::<Vec<_>>().join("; "))
}

fn legend(out: &mut String, report: &Report) {
    _ = writeln!(
        out,
        r#"  <text class="name" x="24" y="33">What equal work costs on one core</text>
  <text class="small" x="856" y="33" text-anchor="end">shorter is better</text>"#
    );
    let mut x = 24.0;
    for peer in &report.peers {
        let label = format!("{} {}", peer.name.as_str(), short(&peer.version));
        _ = writeln!(
            out,
            r#"  <rect class="{}" x="{x}" y="47" width="10" height="10" rx="2"/><text x="{}" y="56">{label}</text>"#,
            class(peer.name),
            x + 15.0,
        );
        x += 34.0 + 7.2 * label.chars().count() as f64;
    }
}

/// A distribution's additions to a version are for the table.
fn short(version: &str) -> &str {
    version.split(['-', '+']).next().unwrap_or(version)
}

fn class(name: Name) -> &'static str {
    match name {
        Name::Gateway => "gateway",
        Name::Nginx => "nginx",
        Name::Haproxy => "haproxy",
        Name::Caddy => "caddy",
    }
}

fn axis(out: &mut String, height: f64) {
    let bottom = height - BOTTOM - 2.0;
    let one = LEFT + UNIT;
    _ = writeln!(
        out,
        r#"  <path class="axis" d="M{LEFT} {} V{bottom}"/>
  <path class="one" d="M{one} {} V{bottom}"/>
  <text class="small" x="{one}" y="{}" text-anchor="middle">best peer = 1</text>
  <text class="small" x="856" y="{}" text-anchor="end">gateway</text>"#,
        TOP - 8.0,
        TOP - 8.0,
        TOP - 14.0,
        TOP - 14.0,
    );
}

fn line(out: &mut String, report: &Report, figure: &FigureReport, top: f64) {
    let Some((_, best)) = figure.best_peer() else { return };
    let middle = top + (line_height(report) - BETWEEN) / 2.0;
    _ = writeln!(
        out,
        r#"  <text x="280" y="{}" text-anchor="end">{}</text>
  <text class="small" x="280" y="{}" text-anchor="end">{}</text>"#,
        middle - 1.0,
        figure.title,
        middle + 12.0,
        figure.unit,
    );
    for (number, peer) in report.peers.iter().enumerate() {
        let Some(spread) = figure.spread(peer.name).filter(|_| best > 0.0) else { continue };
        bar(out, peer.name, spread.median / best, top + number as f64 * (BAR + GAP));
    }
    if let Some(against) = figure.against() {
        _ = writeln!(
            out,
            r#"  <text class="ratio" x="856" y="{}" text-anchor="end">{}</text>"#,
            middle + 5.0,
            three_digits(against.ratio.median),
        );
    }
}

fn bar(out: &mut String, name: Name, ratio: f64, y: f64) {
    let length = ratio.clamp(0.0, LONGEST) * UNIT;
    _ = writeln!(
        out,
        r#"  <rect class="{}" x="{LEFT}" y="{y}" width="{length:.1}" height="{BAR}" rx="1.5"/>"#,
        class(name),
    );
    if ratio > LONGEST {
        let end = LEFT + length;
        _ = writeln!(
            out,
            r#"  <text class="cut" x="{}" y="{}">{}</text>"#,
            end + 5.0,
            y + BAR,
            three_digits(ratio),
        );
    }
}

fn foot(out: &mut String, report: &Report, height: f64) {
    let Report { date, machine, rounds, .. } = report;
    let rounds = format!("medians of {rounds} rounds");
    _ = writeln!(
        out,
        r#"  <text class="small" x="24" y="{}">make compare, {date}; {}; {rounds}</text>"#,
        height - 14.0,
        escaped(&machine.to_string()),
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
