//! A problem that does not know its place yet.

use std::cell::RefCell;
use std::path::Path;

use crate::hidden;
use crate::problem::{Code, Problem, Problems};
use crate::source::{Source, Span};

/// What a parser of one value has to say. Its place is added by whoever knows it.
#[derive(Debug, Clone)]
pub(crate) struct Complaint {
    code: Code,
    message: String,
    help: Option<String>,
    related: Vec<(Span, String)>,
}

impl Complaint {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, related: Vec::new() }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says the help in other words.
    pub(crate) fn or_help(mut self, other: impl FnOnce(String) -> String) -> Self {
        self.help = self.help.map(other);
        self
    }

    /// Only where there is something to say.
    pub(crate) fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    pub(crate) fn related(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.related.push((span.clone(), text.into()));
        self
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

/// Where the complaints about a configuration are gathered. Shared by every part of the reader.
pub(crate) struct Report<'a> {
    source: &'a Source<'a>,
    problems: RefCell<Problems>,
}

impl<'a> Report<'a> {
    /// `name`: the file or folder that was named.
    pub(crate) fn new(name: &str, source: &'a Source<'a>) -> Self {
        let names = source.files.iter().map(|file| file.name.clone()).collect();
        Self { source, problems: RefCell::new(Problems::of_files(name, names)) }
    }

    /// Where relative paths begin that stand at an offset: at the folder of their file.
    pub(crate) fn base(&self, at: usize) -> &'a Path {
        self.source.base(at)
    }

    /// Adds a complaint about a part of the files; `None` for them as a whole.
    pub(crate) fn add(&self, span: Option<&Span>, complaint: Complaint) {
        let related = complaint.related.into_iter();
        self.problems.borrow_mut().push(Problem {
            severity: complaint.code.severity(),
            code: complaint.code.as_str(),
            message: complaint.message,
            help: complaint.help,
            place: span.and_then(|span| self.source.place(span)),
            related: related
                .filter_map(|(span, text)| Some((self.source.place(&span)?, text)))
                .collect(),
        });
    }

    /// Keeps parts of the file out of every line that is shown from now on.
    pub(crate) fn hide(&self, spans: impl IntoIterator<Item = Span>) {
        self.source.hide(spans);
    }

    /// Keeps what may be a secret out of a line that is not TOML.
    pub(crate) fn hide_in_broken_line(&self, at: usize) {
        let (start, line) = self.source.line_at(at);
        let part = hidden::in_broken_line(line);
        self.hide(part.map(|part| start + part.start..start + part.end));
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.problems.borrow().errors() > 0
    }

    pub(crate) fn into_problems(self) -> Problems {
        self.problems.into_inner()
    }
}
