//! From a file or a text to a configuration.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::complaint::Report;
use crate::files::{Files, Gathered};
use crate::model::Config;
use crate::problem::{Problem, Problems, Severity};
use crate::read;
use crate::source::{File, Source};

/// Where a configuration is looked for when none is named, in this order.
pub const DEFAULT_FILES: [&str; 2] = ["gateway.toml", "/etc/gateway/gateway.toml"];

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What its author should know all the same; no errors among them.
    pub warnings: Problems,
    /// The files that it was read from.
    pub files: Files,
}

/// Why a file gave no configuration.
#[derive(Debug)]
pub enum LoadError {
    /// The file could not be read at all.
    CannotRead {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file has errors.
    Invalid(Problems),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannotRead { path, source } => {
                write!(f, "cannot read {}: {source}; ", path.display())?;
                if source.kind() == io::ErrorKind::NotFound {
                    let [here, system] = DEFAULT_FILES;
                    write!(f, "name the file with --config FILE, or put it at {here} or {system}")
                } else {
                    write!(f, "name another file with --config FILE, or make this one readable")
                }
            }
            Self::Invalid(problems) => problems.fmt(f),
        }
    }
}

impl LoadError {
    /// The same as a list of problems, the way `check-config` shows it.
    #[must_use]
    pub fn into_problems(self) -> Problems {
        match self {
            Self::Invalid(problems) => problems,
            Self::CannotRead { ref path, .. } => {
                let text = self.to_string();
                let (message, help) = text.rsplit_once("; ").unwrap_or((&text, ""));
                let mut problems = Problems::new(path.display().to_string());
                problems.push(Problem {
                    severity: Severity::Error,
                    code: "cannot-read",
                    message: message.to_owned(),
                    help: Some(help.to_owned()),
                    place: None,
                    related: Vec::new(),
                });
                problems
            }
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::CannotRead { source, .. } => Some(source),
            Self::Invalid(_) => None,
        }
    }
}

/// The file that is meant when none is named: the first of [`DEFAULT_FILES`] that exists, or the
/// first of all where none does, so that [`load`] says what is missing.
#[must_use]
pub fn find_default() -> PathBuf {
    first_existing(&DEFAULT_FILES.map(Path::new))
}

fn first_existing(candidates: &[&Path]) -> PathBuf {
    let existing = candidates.iter().find(|path| path.exists());
    existing.or(candidates.first()).map(|path| path.to_path_buf()).unwrap_or_default()
}

/// Reads a file with those that it includes, or every `*.toml` of a folder. Relative paths in a file
/// begin at its folder.
///
/// # Errors
///
/// [`LoadError::CannotRead`] where there is no text to judge, [`LoadError::Invalid`] with every
/// error and warning of the files otherwise.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    judge(Files::gather(path)?).map_err(LoadError::Invalid)
}

/// Reads a text. `file_name` is what problems call it; relative paths in it begin at `base`, and so do
/// the patterns of files that it includes.
///
/// # Errors
///
/// Every error and warning of the text, where at least one is an error.
pub fn parse(file_name: &str, text: &str, base: &Path) -> Result<Loaded, Problems> {
    judge(Files::with_included(File::new(file_name, base, text.as_bytes()), None))
}

fn judge(Gathered { files, complaints }: Gathered) -> Result<Loaded, Problems> {
    let source = Source::new(files.list());
    let report = Report::new(files.name(), &source);
    files.report_broken(&report);
    let is_text = !report.has_errors();
    for (span, complaint) in complaints {
        report.add(Some(&span), complaint);
    }
    let table = if is_text { files.parse(&report) } else { None };
    let config = table.and_then(|table| read::read(&report, &table));
    let problems = report.into_problems();
    match config {
        Some(config) => Ok(Loaded { config, warnings: problems, files }),
        None => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_that_exists_is_the_default() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (manifest, missing) = (here.join("Cargo.toml"), here.join("no-such-file.toml"));
        assert_eq!(first_existing(&[&missing, &manifest]), manifest);
        assert_eq!(first_existing(&[&missing, &missing.join("x")]), missing);
    }

    #[test]
    fn an_unreadable_file_says_what_to_do() {
        let error = load(Path::new("no/such/gateway.toml")).expect_err("no such file");
        assert_eq!(
            error.to_string(),
            "cannot read no/such/gateway.toml: No such file or directory (os error 2); name the \
             file with --config FILE, or put it at gateway.toml or /etc/gateway/gateway.toml"
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let folder = load(&folder).expect_err("no configuration in it");
        assert!(folder.to_string().contains("the folder holds no file *.toml"), "{folder}");
    }
}
