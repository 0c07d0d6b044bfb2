//! Plots as inline SVG. Colours are classes of the page's style, so that they follow its theme.

use std::fmt::Write as _;

use super::escape::escaped;
use super::scale::Scale;

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 270.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 42.0;

/// With more points than that, they lie too close to be pointed at.
const MOST_HINTS: usize = 600;

/// A plot with its axes.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) series: Vec<Series<'a>>,
}

/// Values that belong together.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    /// Of the page's style.
    pub(super) class: &'a str,
    pub(super) drawn: Drawn,
    pub(super) points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    Line,
    /// So many of them fill the axis.
    Bars {
        count: usize,
    },
}

pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    /// What is shown where it is pointed at.
    pub(super) hint: String,
}

impl Plot<'_> {
    /// The plot as a `figure`.
    pub(super) fn html(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let title = escaped(self.title);
        writeln!(out, "<figure><figcaption><h2>{title}</h2>")?;
        if self.series.len() > 1 {
            write!(out, "<ul class=\"legend\">")?;
            for series in &self.series {
                write!(out, "<li class=\"{}\">{}</li>", series.class, escaped(series.name))?;
            }
            write!(out, "</ul>")?;
        }
        writeln!(
            out,
            "</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">"
        )?;
        self.write_axes(out)?;
        for series in &self.series {
            match series.drawn {
                Drawn::Line => self.write_line(out, series)?,
                Drawn::Bars { count } => self.write_bars(out, series, count)?,
            }
        }
        writeln!(out, "</svg></figure>")
    }

    fn write_axes(&self, out: &mut String) -> std::fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in self.y.ticks() {
            let y = bottom - tick.at * (bottom - TOP);
            writeln!(out, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>")?;
            let (x, y) = (LEFT - 8.0, y + 4.0);
            writeln!(out, "<text class=\"tick end\" x=\"{x}\" y=\"{y:.1}\">{}</text>", tick.label)?;
        }
        let mut last = f64::NEG_INFINITY;
        for tick in self.x.ticks() {
            // Two labels closer than that run into each other.
            if tick.at - last < 0.065 {
                continue;
            }
            last = tick.at;
            let x = LEFT + tick.at * (right - LEFT);
            let (y, foot) = (bottom + 18.0, bottom + 4.0);
            writeln!(out, "<path class=\"axis\" d=\"M{x:.1} {bottom}V{foot}\"/>")?;
            writeln!(
                out,
                "<text class=\"tick middle\" x=\"{x:.1}\" y=\"{y}\">{}</text>",
                tick.label
            )?;
        }
        writeln!(out, "<path class=\"axis\" d=\"M{LEFT} {bottom}H{right}\"/>")?;
        let (middle, foot) = (f64::midpoint(LEFT, right), HEIGHT - 6.0);
        let x_label = escaped(self.x_label);
        writeln!(out, "<text class=\"label middle\" x=\"{middle}\" y=\"{foot}\">{x_label}</text>")?;
        let (y, y_label) = (f64::midpoint(TOP, bottom), escaped(self.y_label));
        writeln!(
            out,
            "<text class=\"label middle\" transform=\"translate(12 {y}) rotate(-90)\">{y_label}</text>"
        )
    }

    fn place(&self, point: &Point) -> (f64, f64) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let x = LEFT + self.x.place(point.x) * (right - LEFT);
        (x, bottom - self.y.place(point.y) * (bottom - TOP))
    }

    fn write_line(&self, out: &mut String, series: &Series<'_>) -> std::fmt::Result {
        write!(out, "<path class=\"line {}\" d=\"", series.class)?;
        for (index, point) in series.points.iter().enumerate() {
            let (x, y) = self.place(point);
            write!(out, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' })?;
        }
        writeln!(out, "\"/>")?;
        // A line of one point is none.
        let radius = if series.points.len() == 1 { 3 } else { 0 };
        if series.points.len() > MOST_HINTS {
            return Ok(());
        }
        for point in &series.points {
            let ((x, y), hint) = (self.place(point), escaped(&point.hint));
            writeln!(
                out,
                "<g class=\"point {}\"><circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>\
                 <circle class=\"reach\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"><title>{hint}</title></circle></g>",
                series.class
            )?;
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a run has fewer seconds than that")]
    fn write_bars(&self, out: &mut String, series: &Series<'_>, count: usize) -> std::fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let width = ((right - LEFT) / count.max(1) as f64 * 0.8).max(1.0);
        for point in series.points.iter().filter(|point| point.y > 0.0) {
            let ((x, y), hint) = (self.place(point), escaped(&point.hint));
            // What is there must be seen.
            let height = (bottom - y).max(2.0);
            let top = bottom - height;
            writeln!(
                out,
                "<rect class=\"bar {}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">\
                 <title>{hint}</title></rect>",
                series.class
            )?;
        }
        Ok(())
    }
}
