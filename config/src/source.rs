//! From byte offsets to lines and columns.

use std::cell::RefCell;
use std::ops::Range;

use crate::problem::Place;

/// A part of the text, in bytes.
pub(crate) type Span = Range<usize>;

/// A file's text, and where its lines begin.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    line_starts: Vec<usize>,
    /// What is not shown where a line is.
    hidden: RefCell<Vec<Span>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self { file, text, line_starts, hidden: RefCell::default() }
    }

    /// From now on these parts are shown as stars.
    pub(crate) fn hide(&self, spans: impl IntoIterator<Item = Span>) {
        self.hidden.borrow_mut().extend(spans);
    }

    /// The line that a byte is in, without its line end, and where it begins.
    pub(crate) fn line_at(&self, at: usize) -> (usize, &'a str) {
        let index = self.line_starts.partition_point(|&start| start <= at) - 1;
        let start = self.line_starts[index];
        let line = self.text[start..].split('\n').next().unwrap_or("");
        (start, line.strip_suffix('\r').unwrap_or(line))
    }

    /// A line as it is shown: as long as it is, so that columns stay what they are.
    fn shown(&self, start: usize, line: &str) -> String {
        let hidden = self.hidden.borrow();
        let is_hidden = |at: usize| hidden.iter().any(|span| span.contains(&at));
        let shown = |(at, c): (usize, char)| if is_hidden(start + at) { '*' } else { c };
        line.char_indices().map(shown).collect()
    }

    /// The place of a span. A span over several lines ends, for this, with its first line.
    pub(crate) fn place(&self, span: &Span) -> Place {
        let start = self.floor(span.start);
        let index = self.line_starts.partition_point(|&at| at <= start) - 1;
        let (line_start, line) = self.line_at(start);
        let line_end = line_start + line.len();
        // A span that begins at the very end of a line points behind its last character.
        let start = start.min(line_end);
        let end = self.floor(span.end).clamp(start, line_end);
        let column = self.text[line_start..start].chars().count() + 1;
        let marked = self.text[start..end].chars().count();
        Place {
            file: self.file.to_owned(),
            line: index + 1,
            column,
            end_column: column + marked.max(1),
            source_line: self.shown(line_start, line),
        }
    }

    fn floor(&self, at: usize) -> usize {
        self.text.floor_char_boundary(at)
    }
}

impl Place {
    /// The place of a part of a text, in bytes. Of a part over several lines it is the first of them.
    #[must_use]
    pub fn of(file: &str, text: &str, part: &Span) -> Self {
        Source::new(file, text).place(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, span: Span) -> (usize, usize, usize, String) {
        let place = Source::new("f", text).place(&span);
        (place.line, place.column, place.end_column, place.source_line)
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(place("ä = \"öü\" # x", 5..11), (1, 5, 9, "ä = \"öü\" # x".into()));
        assert_eq!(place("\ta\n\t\tbc", 5..7), (2, 3, 5, "\t\tbc".into()));
    }

    #[test]
    fn windows_line_ends_are_not_part_of_the_line() {
        assert_eq!(place("a\r\nb\r\n", 3..4), (2, 1, 2, "b".into()));
        assert_eq!(place("a\r\nb", 0..4), (1, 1, 2, "a".into()));
    }

    #[test]
    fn what_is_hidden_keeps_its_columns() {
        let source = Source::new("f", "a = \"ä\"\nb = 1");
        source.hide([5..7, 90..95]);
        let place = source.place(&(8..9));
        assert_eq!((place.line, place.source_line.as_str()), (1, "a = \"*\""));
        assert_eq!(source.place(&(10..11)).source_line, "b = 1");
    }

    #[test]
    fn ends_of_lines_and_files_have_a_place() {
        assert_eq!(place("", 0..0), (1, 1, 2, String::new()));
        assert_eq!(place("ab\n", 3..3), (2, 1, 2, String::new()));
        assert_eq!(place("ab\ncd", 2..3), (1, 3, 4, "ab".into()));
        assert_eq!(place("ab", 90..95), (1, 3, 4, "ab".into()));
    }
}
