//! The files of a configuration: one, or one with those that it includes, or all of a folder.

mod include;
mod merge;

use std::path::{Path, PathBuf};
use std::{fs, io};

use toml::de::DeTable;

use crate::complaint::{Complaint, Report};
use crate::load::LoadError;
use crate::problem::{Code, Place};
use crate::source::{File, Source, Span};
use crate::syntax;

/// The files of a configuration, read.
#[derive(Debug, Clone)]
pub struct Files {
    /// The file or folder that was named.
    name: String,
    list: Vec<File>,
    /// Whether the first of them may include others, and has.
    has_main: bool,
}

/// Files, and what went wrong on the way to them.
pub(crate) struct Gathered {
    pub(crate) files: Files,
    pub(crate) complaints: Vec<(Span, Complaint)>,
}

impl Files {
    /// Reads a file with those that it includes, or every `*.toml` of a folder.
    ///
    /// # Errors
    /// [`LoadError::CannotRead`] for the file or folder that was named.
    pub(crate) fn gather(path: &Path) -> Result<Gathered, LoadError> {
        let unreadable = |source| LoadError::CannotRead { path: path.to_owned(), source };
        if path.is_dir() {
            let list = all_of(path).map_err(unreadable)?;
            let name = path.display().to_string();
            let files = Self { name, list: in_a_row(list), has_main: false };
            return Ok(Gathered { files, complaints: Vec::new() });
        }
        Ok(Self::with_included(read(path).map_err(unreadable)?, Some(path)))
    }

    /// A file with those that it includes. `path`: where it is, so that it is not included itself.
    pub(crate) fn with_included(main: File, path: Option<&Path>) -> Gathered {
        let (included, complaints) = include::included(&main, path);
        let name = main.name.clone();
        let list = std::iter::once(main).chain(included).collect();
        Gathered { files: Self { name, list: in_a_row(list), has_main: true }, complaints }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn list(&self) -> &[File] {
        &self.list
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// What stands in all of them, as one table whose spans [`Files::place`] knows; empty where one is
    /// no TOML.
    #[must_use]
    pub fn table(&self) -> DeTable<'_> {
        let source = Source::new(&self.list);
        self.parse(&Report::new(&self.name, &source)).unwrap_or_default()
    }

    /// The place of a part of them.
    #[must_use]
    pub fn place(&self, part: &Span) -> Option<Place> {
        Source::new(&self.list).place(part)
    }

    /// One table of them all, or `None` where the structure of one is in doubt.
    pub(crate) fn parse<'a>(&'a self, report: &Report<'_>) -> Option<DeTable<'a>> {
        let tables: Vec<_> = self.list.iter().map(|file| syntax::parse(file, report)).collect();
        let tables = tables.into_iter().collect::<Option<Vec<_>>>()?;
        Some(merge::merge(tables, self.has_main, report))
    }

    /// Says where a file is no text.
    pub(crate) fn report_broken(&self, report: &Report<'_>) {
        for (file, at) in self.list.iter().filter_map(|file| Some((file, file.broken_at?))) {
            let at = file.start + at;
            let complaint =
                Complaint::new(Code::NotUtf8, "the file is not UTF-8 text from here on")
                    .help("save it as UTF-8");
            report.add(Some(&(at..at)), complaint);
        }
    }
}

fn read(path: &Path) -> io::Result<File> {
    let bytes = fs::read(path)?;
    let base = path.parent().unwrap_or(Path::new(""));
    Ok(File::new(path.display().to_string(), base, &bytes))
}

/// Every `*.toml` in a folder, in the order of their names. Those that editors hide are left out.
fn all_of(folder: &Path) -> io::Result<Vec<File>> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        !is_hidden && path.extension().is_some_and(|extension| extension == "toml")
    });
    if paths.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the folder holds no file *.toml"));
    }
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// Gives each file its offsets, behind those of the one before.
fn in_a_row(mut files: Vec<File>) -> Vec<File> {
    let mut start = 0;
    for file in &mut files {
        file.start = start;
        start = file.next_start();
    }
    files
}
