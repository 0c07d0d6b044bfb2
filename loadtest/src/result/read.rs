//! An earlier result.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

use super::RunResult;
use super::json::VERSION;

/// Why a file is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoResult {
    #[error("cannot read {}: {source}; name a file that `loadtest run --json` has written", path.display())]
    CannotRead { path: PathBuf, source: io::Error },
    #[error("{} is not a result of `loadtest run --json`: {why}; run the old version again", path.display())]
    Other { path: PathBuf, why: String },
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Reads a result that `--json` has written.
pub(crate) fn read_result(path: &Path) -> Result<RunResult, NoResult> {
    let other = |why: String| NoResult::Other { path: path.to_owned(), why };
    let text = fs::read_to_string(path)
        .map_err(|source| NoResult::CannotRead { path: path.to_owned(), source })?;
    let Versioned { version } =
        serde_json::from_str(&text).map_err(|error| other(error.to_string()))?;
    if version != VERSION {
        return Err(other(format!("its version is {version}, and this program knows {VERSION}")));
    }
    serde_json::from_str(&text).map_err(|error| other(error.to_string()))
}
