//! From byte offsets to lines and columns.

use std::ops::Range;

use crate::problem::Place;

/// A part of the text, in bytes.
pub(crate) type Span = Range<usize>;

/// A file's text, and where its lines begin.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { file, text, line_starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// The place of a span. A span over several lines ends, for this, with its first line.
    pub(crate) fn place(&self, span: &Span) -> Place {
        let start = self.floor(span.start);
        let index = self.line_starts.partition_point(|&at| at <= start) - 1;
        let line_start = self.line_starts[index];
        let line = self.text[line_start..].split('\n').next().unwrap_or("");
        let line = line.strip_suffix('\r').unwrap_or(line);
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
            source_line: line.to_owned(),
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
    fn ends_of_lines_and_files_have_a_place() {
        assert_eq!(place("", 0..0), (1, 1, 2, String::new()));
        assert_eq!(place("ab\n", 3..3), (2, 1, 2, String::new()));
        assert_eq!(place("ab\ncd", 2..3), (1, 3, 4, "ab".into()));
        assert_eq!(place("ab", 90..95), (1, 3, 4, "ab".into()));
    }
}
