//! What is wrong with a file: found all at once, shown to people, scripts and GitHub.

mod code;
mod github;
mod human;
mod json;

use std::fmt;

pub(crate) use code::Code;
pub use code::codes;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and probably says something else than its author meant.
    Warning,
}

impl Severity {
    /// The word in the rendered forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Where in a file. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name, as it was given.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// The column after the last character; on the same line, never smaller than `column`.
    pub end_column: usize,
    /// The whole line, without its line end.
    pub source_line: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Its stable name in kebab-case; see [`codes`].
    pub code: &'static str,
    /// What is wrong: a sentence without its full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where; `None` where the file as a whole is meant.
    pub place: Option<Place>,
    /// Other places that have to do with it, and what they are.
    pub related: Vec<(Place, String)>,
}

/// The problems of a configuration, in the order of its files and of their places in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file or folder that was named.
    name: String,
    /// The files, in their order.
    files: Vec<String>,
    list: Vec<Problem>,
}

impl Problems {
    /// No problem yet.
    #[must_use]
    pub fn new(file: impl Into<String>) -> Self {
        let name = file.into();
        Self { files: vec![name.clone()], name, list: Vec::new() }
    }

    pub(crate) fn of_files(name: &str, files: Vec<String>) -> Self {
        Self { name: name.to_owned(), files, list: Vec::new() }
    }

    /// Adds one, in its place.
    pub fn push(&mut self, problem: Problem) {
        let rank = |name: &str| self.files.iter().position(|file| file == name);
        let position = |p: &Problem| {
            p.place.as_ref().map(|at| (rank(&at.file).unwrap_or_default(), at.line, at.column))
        };
        let index = self.list.partition_point(|earlier| position(earlier) <= position(&problem));
        self.list.insert(index, problem);
    }

    /// Takes out what something outside of the file shows to be no problem.
    pub fn retain(&mut self, keep: impl FnMut(&Problem) -> bool) {
        self.list.retain(keep);
    }

    /// The name of the file or folder, as it was given.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.name
    }

    /// "gateway.toml", or "2 files" where problems are in so many.
    fn whereabouts(&self) -> String {
        let places = self.iter().map(|problem| problem.place.as_ref());
        let mut files: Vec<&str> = places
            .map(|place| place.map_or(self.file(), |place| &place.file))
            .filter(|name| *name == self.name || self.files.iter().any(|file| file == name))
            .collect();
        files.sort_unstable();
        files.dedup();
        match files.as_slice() {
            [one] => (*one).to_owned(),
            [] => self.file().to_owned(),
            several => format!("{} files", several.len()),
        }
    }

    /// Every problem.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// How many are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// How many are warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|p| p.severity == severity).count()
    }

    /// "3 errors, 1 warning in gateway.toml"; empty where there is nothing to count.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = [(self.errors(), "error"), (self.warnings(), "warning")];
        let parts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        if parts.is_empty() {
            return String::new();
        }
        format!("{} in {}", parts.join(", "), self.whereabouts())
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render_human(false).trim_end())
    }
}

impl std::error::Error for Problems {}
