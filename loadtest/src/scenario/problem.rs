//! What is wrong with a scenario, and where.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

/// A part of the text, in bytes.
pub(crate) type Span = Range<usize>;

/// How wide a tab is shown.
const TAB: &str = "    ";

/// What a parser of one value has to say. Its place is added by whoever knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: String,
}

impl Complaint {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// Where complaints about one file are gathered.
pub(crate) struct Report<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    found: RefCell<Vec<(Option<Span>, Complaint)>>,
}

/// Everything that is wrong with a scenario, in the order of the file.
#[derive(Debug)]
pub struct Problems {
    file: String,
    list: Vec<(Option<Place>, Complaint)>,
}

/// A part of one line.
#[derive(Debug)]
struct Place {
    line: usize,
    /// In characters, from 1.
    column: usize,
    /// In characters, at least 1.
    length: usize,
    source_line: String,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: RefCell::default() }
    }

    /// Adds a complaint about a part of the file; `None` for the file as a whole.
    pub(crate) fn add(&self, span: Option<&Span>, complaint: Complaint) {
        self.found.borrow_mut().push((span.cloned(), complaint));
    }

    pub(crate) fn has_problems(&self) -> bool {
        !self.found.borrow().is_empty()
    }

    pub(crate) fn into_problems(self) -> Problems {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(span, _)| span.as_ref().map_or(0, |span| span.start));
        let place = |span: Option<Span>| span.map(|span| Place::of(self.text, &span));
        let list = found.into_iter().map(|(span, complaint)| (place(span), complaint)).collect();
        Problems { file: self.file.to_owned(), list }
    }
}

impl Place {
    /// A span over several lines ends, for this, with its first line.
    fn of(text: &str, span: &Span) -> Self {
        let start = text.floor_char_boundary(span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line_start..].split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line_end = line_start + line.len();
        let start = start.min(line_end);
        let end = text.floor_char_boundary(span.end).clamp(start, line_end);
        Self {
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            length: text[start..end].chars().count().max(1),
            source_line: line.to_owned(),
        }
    }
}

impl Problems {
    /// For people: each problem with its line and a caret, and a closing line that counts. Control
    /// characters of the file never reach the terminal.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let paint = |code: &str, text: &str| match colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        };
        let mut out = String::new();
        for (place, Complaint { message, help }) in &self.list {
            let message = paint("1", &format!(": {}", printable(message)));
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{}{message}", paint("1;31", "error"));
            if let Some(place) = place {
                self.render_place(&mut out, place, &paint);
            }
            let _ = writeln!(out, "{}: {}\n", paint("1;36", "help"), printable(help));
        }
        let count = self.list.len();
        let errors = if count == 1 { "error" } else { "errors" };
        let _ = writeln!(out, "{}", paint("1", &format!("{count} {errors} in {}", self.file)));
        out
    }

    fn render_place(&self, out: &mut String, place: &Place, paint: &dyn Fn(&str, &str) -> String) {
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        let chars = || place.source_line.chars();
        let indent = " ".repeat(width(chars().take(place.column - 1)));
        let marked = width(chars().skip(place.column - 1).take(place.length)).max(1);
        let bar = paint("1;34", "|");
        let _ = writeln!(
            out,
            "{margin}{} {}:{number}:{}",
            paint("1;34", "-->"),
            self.file,
            place.column
        );
        let _ = writeln!(out, "{margin} {bar}");
        let _ = writeln!(out, "{} {bar} {}", paint("1;34", &number), printable(&place.source_line));
        let _ = writeln!(out, "{margin} {bar} {indent}{}", paint("1;31", &"^".repeat(marked)));
    }
}

/// A text of the file in a sentence: in backticks, and not longer than a line.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        _ if text.is_empty() => "the empty string".into(),
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn shown(c: char) -> String {
    match c {
        '\t' => TAB.to_owned(),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "\u{fffd}".into()
        }
        c if c.is_control() => char::REPLACEMENT_CHARACTER.to_string(),
        c => c.to_string(),
    }
}

fn printable(text: &str) -> String {
    text.chars().map(shown).collect()
}

fn width(text: impl Iterator<Item = char>) -> usize {
    text.flat_map(|c| shown(c).chars().collect::<Vec<_>>()).map(|c| c.width().unwrap_or(1)).sum()
}
