//! From a file to a scenario.

use std::path::{Path, PathBuf};
use std::{fs, io};

use toml::de::{DeTable, Error};

use super::Scenario;
use super::problem::{Complaint, Problems, Report};
use super::read::{self, Overrides};

/// Why a file gave no scenario.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read at all.
    #[error("cannot read {}: {source}; name a scenario that is there and readable", path.display())]
    CannotRead {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file has errors.
    #[error("{}", .0.render(false))]
    Invalid(Problems),
}

/// Reads a scenario. Relative paths in it begin at its folder; the files that they name are read
/// too.
///
/// # Errors
///
/// [`LoadError::CannotRead`] where there is no text to judge, [`LoadError::Invalid`] with everything
/// that is wrong with it otherwise.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Scenario, LoadError> {
    let text = fs::read_to_string(path)
        .map_err(|source| LoadError::CannotRead { path: path.to_owned(), source })?;
    read_from(&text, path, overrides).map_err(LoadError::Invalid)
}

fn read_from(text: &str, path: &Path, overrides: &Overrides) -> Result<Scenario, Problems> {
    let file = path.display().to_string();
    let report = Report::new(&file, text.strip_prefix('\u{feff}').unwrap_or(text));
    let scenario = parse(&report).and_then(|entries| {
        read::read(&report, &entries, path, overrides).filter(|_| !report.has_problems())
    });
    scenario.ok_or_else(|| report.into_problems())
}

/// Reads a scenario that is no file.
#[cfg(test)]
pub(crate) fn read_text(text: &str) -> Result<Scenario, Problems> {
    read_from(text, Path::new("scenario.toml"), &Overrides::default())
}

/// The text as TOML, or `None` where its structure is in doubt.
fn parse<'a>(report: &Report<'a>) -> Option<DeTable<'a>> {
    let (table, errors) = DeTable::parse_recoverable(report.text);
    let mut last_line = None;
    for error in &errors {
        let end = report.text.len();
        let span = error.span().unwrap_or(end..end);
        // One slip makes several complaints; the first of a line says it.
        let start = report.text.floor_char_boundary(span.start);
        let line = report.text[..start].matches('\n').count();
        if last_line != Some(line) {
            report.add(Some(&span), complaint(error));
        }
        last_line = Some(line);
    }
    errors.is_empty().then(|| table.into_inner())
}

fn complaint(error: &Error) -> Complaint {
    if error.message() == "duplicate key" {
        return Complaint::new("this key is given twice", "keep one of the two");
    }
    let message = error.message();
    let message = message.strip_suffix(", expected nothing").unwrap_or(message);
    Complaint::new(
        format!("this is not TOML: {message}"),
        "strings need quotes, lists are [\"a\", \"b\"], inline tables are { key = \"value\" }",
    )
}
