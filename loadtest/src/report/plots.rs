//! The plots of a run.

use super::plot::{Drawn, Plot, Point, Series};
use super::scale::Scale;
use crate::cli::summary::grouped;
use crate::engine::Buckets;
use crate::result::{RunResult, Second, milliseconds};

/// Latency against the share of requests that were as fast, up to the last of them.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(super) fn percentiles(result: &RunResult) -> String {
    let points = percentile_points(&result.histogram_us);
    let count: u64 = result.histogram_us.iter().map(|(_, count)| count).sum();
    let plot = Plot {
        title: "Latency by percentile",
        x_label: "share of requests that were answered at least as fast",
        y_label: "ms, logarithmic",
        x: Scale::Percentile { nines: (count.max(10) as f64).log10().clamp(1.0, 6.0) },
        y: Scale::logarithmic(points.iter().map(|point| point.y)),
        series: vec![Series { name: "latency", class: "a", drawn: Drawn::Line, points }],
    };
    plot.html()
}

/// About as many points as there are pixels, closer where the axis is stretched.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn percentile_points(buckets: &Buckets) -> Vec<Point> {
    let count: u64 = buckets.iter().map(|(_, count)| count).sum();
    let mut points: Vec<Point> = Vec::new();
    let (mut below, mut last) = (0_u64, -1.0);
    for (value, here) in buckets {
        // The value reaches from the share below it to the share with it.
        for share in [below as f64 / count as f64, (below + here) as f64 / count as f64] {
            let nines = -(1.0 - share).max(0.5 / count as f64).log10();
            if nines - last > 0.02 {
                last = nines;
                let ms = milliseconds(*value);
                let hint = format!("{:.4} % within {ms:.3} ms", share * 100.0);
                points.push(Point { x: share, y: ms, hint });
            }
        }
        below += here;
    }
    points
}

fn ends(series: &[Second]) -> f64 {
    series.last().map_or(1.0, |second| f64::from(second.at_s) + second.seconds)
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(super) fn rate(result: &RunResult) -> String {
    let good =
        |second: &Second| (second.requests - second.errors) as f64 / second.seconds.max(1e-3);
    let points = result.series.iter().map(|second| {
        let hint = format!("second {}: {:.0}/s", second.at_s, good(second));
        Point { x: f64::from(second.at_s), y: good(second), hint }
    });
    let plot = Plot {
        title: "Rate over time",
        x_label: "seconds",
        y_label: "good answers a second",
        x: Scale::Linear { most: ends(&result.series) },
        y: Scale::linear(result.series.iter().map(good)),
        series: vec![Series {
            name: "rate",
            class: "a",
            drawn: Drawn::Line,
            points: points.collect(),
        }],
    };
    plot.html()
}

pub(super) fn latency(result: &RunResult) -> String {
    let line = |name, class, of: fn(&Second) -> Option<f64>| {
        let points = result.series.iter().filter_map(|second| {
            let ms = of(second)?;
            let hint = format!("second {}: {name} {ms:.3} ms", second.at_s);
            Some(Point { x: f64::from(second.at_s), y: ms, hint })
        });
        Series { name, class, drawn: Drawn::Line, points: points.collect() }
    };
    let series = vec![
        line("max", "d", |second| second.max_ms),
        line("p99", "b", |second| second.p99_ms),
        line("p50", "a", |second| second.p50_ms),
    ];
    let all = series.iter().flat_map(|series| &series.points).map(|point| point.y);
    let y = Scale::logarithmic(all);
    let plot = Plot {
        title: "Latency over time",
        x_label: "seconds",
        y_label: "ms, logarithmic",
        x: Scale::Linear { most: ends(&result.series) },
        y,
        series,
    };
    plot.html()
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(super) fn errors(result: &RunResult) -> String {
    let points = result.series.iter().map(|second| {
        let hint = format!("second {}: {} errors", second.at_s, grouped(second.errors));
        Point { x: f64::from(second.at_s), y: second.errors as f64, hint }
    });
    let points: Vec<Point> = points.collect();
    let plot = Plot {
        title: if result.errors.total == 0 { "Errors over time: none" } else { "Errors over time" },
        x_label: "seconds",
        y_label: "failed requests",
        x: Scale::Linear { most: ends(&result.series) },
        // Less than five of them would have ticks between two whole ones.
        y: Scale::linear(points.iter().map(|point| point.y.max(5.0))),
        series: vec![Series {
            name: "errors",
            class: "c",
            drawn: Drawn::Bars { count: result.series.len() },
            points,
        }],
    };
    plot.html()
}
