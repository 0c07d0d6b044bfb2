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

/// The problems of one file, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    file: String,
    list: Vec<Problem>,
}

impl Problems {
    /// No problem yet.
    #[must_use]
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), list: Vec::new() }
    }

    /// Adds one, in its place.
    pub fn push(&mut self, problem: Problem) {
        let position = |p: &Problem| p.place.as_ref().map(|at| (at.line, at.column));
        let index = self.list.partition_point(|earlier| position(earlier) <= position(&problem));
        self.list.insert(index, problem);
    }

    /// The file's name, as it was given.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
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
        format!("{} in {}", parts.join(", "), self.file)
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
