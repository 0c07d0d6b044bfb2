//! Problems for people: the line, what to look at in it, and what to do.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::{Place, Problem, Problems, Severity};

/// How wide a tab is shown.
const TAB: &str = "    ";

struct Colours {
    error: &'static str,
    warning: &'static str,
    gutter: &'static str,
    help: &'static str,
    strong: &'static str,
    reset: &'static str,
}

const PLAIN: Colours =
    Colours { error: "", warning: "", gutter: "", help: "", strong: "", reset: "" };

/// The SGR codes that rustc and cargo use.
const ANSI: Colours = Colours {
    error: "\x1b[1;31m",
    warning: "\x1b[1;33m",
    gutter: "\x1b[1;34m",
    help: "\x1b[1;36m",
    strong: "\x1b[1m",
    reset: "\x1b[0m",
};

impl Problems {
    /// For people: each problem with its line and a caret, and a closing line that counts. Empty
    /// where there is no problem. Control characters of the file never reach the terminal.
    #[must_use]
    pub fn render_human(&self, colour: bool) -> String {
        let colours = if colour { &ANSI } else { &PLAIN };
        let mut out = String::new();
        for problem in self {
            // Writing to a String cannot fail.
            let _ = write_problem(&mut out, problem, colours);
            out.push('\n');
        }
        if !self.is_empty() {
            let _ =
                writeln!(out, "{}{}{}", colours.strong, printable(&self.summary()), colours.reset);
        }
        out
    }
}

fn write_problem(out: &mut String, problem: &Problem, colours: &Colours) -> std::fmt::Result {
    let Colours { reset, strong, .. } = colours;
    let severity = match problem.severity {
        Severity::Error => colours.error,
        Severity::Warning => colours.warning,
    };
    writeln!(
        out,
        "{severity}{}[{}]{reset}{strong}: {}{reset}",
        problem.severity.as_str(),
        problem.code,
        printable(&problem.message),
    )?;
    let width = gutter_width(problem);
    if let Some(place) = &problem.place {
        write_place(out, place, ("-->", '^', ""), (width, severity), colours)?;
    }
    for (place, text) in &problem.related {
        write_place(out, place, (":::", '-', text), (width, colours.gutter), colours)?;
    }
    if let Some(help) = &problem.help {
        writeln!(out, "{}help{reset}: {}", colours.help, printable(help))?;
    }
    Ok(())
}

fn gutter_width(problem: &Problem) -> usize {
    let related = problem.related.iter().map(|(place, _)| place);
    related.chain(&problem.place).map(|place| place.line.to_string().len()).max().unwrap_or(1)
}

fn write_place(
    out: &mut String,
    place: &Place,
    (arrow, mark, text): (&str, char, &str),
    (width, colour): (usize, &str),
    colours: &Colours,
) -> std::fmt::Result {
    let Colours { gutter, reset, .. } = colours;
    let before = place.source_line.chars().take(place.column - 1);
    let marked =
        place.source_line.chars().skip(place.column - 1).take(place.end_column - place.column);
    let indent = shown_width(before);
    let marks = shown_width(marked).max(1);
    writeln!(
        out,
        "{:width$}{gutter}{arrow}{reset} {}:{}:{}",
        "",
        printable(&place.file),
        place.line,
        place.column
    )?;
    writeln!(out, "{:width$} {gutter}|{reset}", "")?;
    let line = printable(&place.source_line);
    writeln!(out, "{gutter}{:>width$} |{reset} {line}", place.line)?;
    let marks: String = std::iter::repeat_n(mark, marks).collect();
    let label = if text.is_empty() { String::new() } else { format!(" {}", printable(text)) };
    writeln!(out, "{:width$} {gutter}|{reset} {:indent$}{colour}{marks}{label}{reset}", "", "")
}

/// What is shown for one character: tabs have a fixed width, control and bidirectional formatting
/// characters are made visible, because a configuration file must not be able to steer a terminal.
fn shown(c: char) -> String {
    match c {
        '\t' => TAB.to_owned(),
        c if c.is_control() || is_bidi_control(c) => char::REPLACEMENT_CHARACTER.to_string(),
        c => c.to_string(),
    }
}

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(super) fn printable(text: &str) -> String {
    text.chars().map(shown).collect()
}

fn shown_width(text: impl Iterator<Item = char>) -> usize {
    text.map(|c| match c {
        '\t' => TAB.len(),
        c => shown(c).chars().map(|c| c.width().unwrap_or(1)).sum(),
    })
    .sum()
}
