//! From a file or a text to a configuration.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::complaint::{Complaint, Report};
use crate::model::Config;
use crate::problem::{Code, Problems};
use crate::source::Source;
use crate::{read, syntax};

/// Where a configuration is looked for when none is named, in this order.
pub const DEFAULT_FILES: [&str; 2] = ["gateway.toml", "/etc/gateway/gateway.toml"];

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What its author should know all the same; no errors among them.
    pub warnings: Problems,
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

/// Reads a file. Relative paths in it begin at its folder.
///
/// # Errors
///
/// [`LoadError::CannotRead`] where there is no text to judge, [`LoadError::Invalid`] with every
/// error and warning of the file otherwise.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let bytes =
        fs::read(path).map_err(|source| LoadError::CannotRead { path: path.to_owned(), source })?;
    let name = path.display().to_string();
    let base = path.parent().unwrap_or(Path::new(""));
    match str::from_utf8(&bytes) {
        Ok(text) => parse(&name, text, base).map_err(LoadError::Invalid),
        Err(error) => Err(LoadError::Invalid(not_utf8(&name, &bytes, error.valid_up_to()))),
    }
}

/// Reads a text. `file_name` is what problems call it; relative paths in it begin at `base`.
///
/// # Errors
///
/// Every error and warning of the text, where at least one is an error.
pub fn parse(file_name: &str, text: &str, base: &Path) -> Result<Loaded, Problems> {
    // A byte order mark is no character of the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source::new(file_name, text);
    let report = Report::new(&source);
    let config =
        syntax::parse(text, &report).and_then(|entries| read::read(&report, base, &entries));
    let problems = report.into_problems();
    match config {
        Some(config) => Ok(Loaded { config, warnings: problems }),
        None => Err(problems),
    }
}

fn not_utf8(file_name: &str, bytes: &[u8], valid_up_to: usize) -> Problems {
    let text = String::from_utf8_lossy(bytes);
    let source = Source::new(file_name, &text);
    let report = Report::new(&source);
    report.add(
        Some(&(valid_up_to..valid_up_to)),
        Complaint::new(Code::NotUtf8, "the file is not UTF-8 text from here on")
            .help("save it as UTF-8"),
    );
    report.into_problems()
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
        let folder = load(Path::new(env!("CARGO_MANIFEST_DIR"))).expect_err("a folder");
        assert!(folder.to_string().contains("name another file with --config FILE"), "{folder}");
    }
}
