//! From byte offsets to files, lines and columns.
//!
//! The files of a configuration stand one behind the other, as far as offsets are concerned: a span
//! says by itself which file it is in, and nobody has to carry that along.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::problem::Place;

/// A part of the text, in bytes.
pub(crate) type Span = Range<usize>;

/// One file's text, and where its lines begin.
#[derive(Clone)]
pub(crate) struct File {
    /// What problems call it.
    pub(crate) name: String,
    /// Where relative paths in it begin.
    pub(crate) base: PathBuf,
    pub(crate) text: String,
    /// The offset of its first byte among all files.
    pub(crate) start: usize,
    line_starts: Vec<usize>,
    /// Where it ceases to be UTF-8; there is something else in place of that in `text`.
    pub(crate) broken_at: Option<usize>,
}

impl File {
    /// A file that stands behind no other.
    pub(crate) fn new(name: impl Into<String>, base: impl Into<PathBuf>, bytes: &[u8]) -> Self {
        let broken_at = str::from_utf8(bytes).err().map(|error| error.valid_up_to());
        let text = String::from_utf8_lossy(bytes).into_owned();
        // A byte order mark is no character of the first line.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self { name: name.into(), base: base.into(), text, start: 0, line_starts, broken_at }
    }

    /// The offset of whatever stands behind it: its own end has one too.
    pub(crate) fn next_start(&self) -> usize {
        self.start + self.text.len() + 1
    }

    /// An offset among all files as one in this.
    fn floor(&self, at: usize) -> usize {
        self.text.floor_char_boundary(at.saturating_sub(self.start))
    }

    /// The number of the line that an offset in this file is in, from 0.
    fn line_number(&self, at: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= at) - 1
    }

    /// The line that an offset in this file is in, without its line end, and where it begins.
    fn line_at(&self, at: usize) -> (usize, &str) {
        let start = self.line_starts[self.line_number(at)];
        let line = self.text[start..].split('\n').next().unwrap_or("");
        (start, line.strip_suffix('\r').unwrap_or(line))
    }
}

/// Texts may hold what should not be shown.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The files of a configuration, the main one first.
pub(crate) struct Source<'a> {
    pub(crate) files: &'a [File],
    /// What is not shown where a line is.
    hidden: RefCell<Vec<Span>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(files: &'a [File]) -> Self {
        Self { files, hidden: RefCell::default() }
    }

    /// From now on these parts are shown as stars.
    pub(crate) fn hide(&self, spans: impl IntoIterator<Item = Span>) {
        self.hidden.borrow_mut().extend(spans);
    }

    fn file_at(&self, at: usize) -> Option<&'a File> {
        let behind = self.files.partition_point(|file| file.start <= at);
        self.files.get(behind.saturating_sub(1))
    }

    /// Where relative paths begin that stand at an offset.
    pub(crate) fn base(&self, at: usize) -> &'a Path {
        self.file_at(at).map_or(Path::new(""), |file| &file.base)
    }

    /// The line that a byte is in, without its line end, and where it begins.
    pub(crate) fn line_at(&self, at: usize) -> (usize, &'a str) {
        let Some(file) = self.file_at(at) else { return (0, "") };
        let (start, line) = file.line_at(file.floor(at));
        (file.start + start, line)
    }

    /// A line as it is shown: as long as it is, so that columns stay what they are.
    fn shown(&self, start: usize, line: &str) -> String {
        let hidden = self.hidden.borrow();
        let is_hidden = |at: usize| hidden.iter().any(|span| span.contains(&at));
        let shown = |(at, c): (usize, char)| if is_hidden(start + at) { '*' } else { c };
        line.char_indices().map(shown).collect()
    }

    /// The place of a span. A span over several lines ends, for this, with its first line.
    pub(crate) fn place(&self, span: &Span) -> Option<Place> {
        let file = self.file_at(span.start)?;
        let start = file.floor(span.start);
        let index = file.line_number(start);
        let (line_start, line) = file.line_at(start);
        let line_end = line_start + line.len();
        // A span that begins at the very end of a line points behind its last character.
        let start = start.min(line_end);
        let end = file.floor(span.end).clamp(start, line_end);
        let column = file.text[line_start..start].chars().count() + 1;
        let marked = file.text[start..end].chars().count();
        Some(Place {
            file: file.name.clone(),
            line: index + 1,
            column,
            end_column: column + marked.max(1),
            source_line: self.shown(file.start + line_start, line),
        })
    }
}

impl Place {
    /// The place of a part of a text, in bytes. Of a part over several lines it is the first of them.
    #[must_use]
    pub fn of(file: &str, text: &str, part: &Span) -> Self {
        let files = [File::new(file, "", text.as_bytes())];
        let nowhere = || Self {
            file: file.to_owned(),
            line: 1,
            column: 1,
            end_column: 2,
            source_line: String::new(),
        };
        Source::new(&files).place(part).unwrap_or_else(nowhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, span: Span) -> (usize, usize, usize, String) {
        let place = Place::of("f", text, &span);
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
        let files = [File::new("f", "", "a = \"ä\"\nb = 1".as_bytes())];
        let source = Source::new(&files);
        source.hide([5..7, 90..95]);
        let place = source.place(&(8..9)).expect("a place");
        assert_eq!((place.line, place.source_line.as_str()), (1, "a = \"*\""));
        assert_eq!(source.place(&(10..11)).expect("a place").source_line, "b = 1");
    }

    #[test]
    fn ends_of_lines_and_files_have_a_place() {
        assert_eq!(place("", 0..0), (1, 1, 2, String::new()));
        assert_eq!(place("ab\n", 3..3), (2, 1, 2, String::new()));
        assert_eq!(place("ab\ncd", 2..3), (1, 3, 4, "ab".into()));
        assert_eq!(place("ab", 90..95), (1, 3, 4, "ab".into()));
    }

    #[test]
    fn an_offset_says_which_file_it_is_in() {
        let mut files = [("a", "x = 1"), ("b", ""), ("c", "y = 2\nz = 3")]
            .map(|(name, text)| File::new(name, format!("/{name}"), text.as_bytes()));
        for index in 1..files.len() {
            files[index].start = files[index - 1].next_start();
        }
        let source = Source::new(&files);
        let at = |offset: usize| {
            let place = source.place(&(offset..offset + 1)).expect("a place");
            (place.file, place.line, place.column)
        };
        assert_eq!(at(0), ("a".into(), 1, 1));
        assert_eq!(at(5), ("a".into(), 1, 6), "the end of the first file");
        assert_eq!(at(6), ("b".into(), 1, 1));
        assert_eq!(at(7), ("c".into(), 1, 1));
        assert_eq!(at(13), ("c".into(), 2, 1));
        assert_eq!(source.base(13), Path::new("/c"));
        source.hide(std::iter::once(13..14));
        assert_eq!(source.place(&(13..14)).expect("a place").source_line, "* = 3");
    }
}
