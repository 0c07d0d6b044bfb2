//! The configuration that a command is about.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gateway_config::{LoadError, Loaded, Problem, Problems, Severity, find_default};

use super::output::{UNREADABLE, show};

/// Which configuration a command is about.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigFile {
    /// The configuration, a file or a folder [default: gateway.toml, then /etc/gateway/gateway.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The file that was named.
    pub(super) fn named(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The file that is meant.
    pub(super) fn path(&self) -> PathBuf {
        self.named().map_or_else(find_default, Path::to_owned)
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// What to end with; what is wrong has been shown by then.
    pub(super) fn load(&self) -> Result<Loaded, ExitCode> {
        load(&self.path()).map_err(|rejected| {
            show(&rejected.problems);
            rejected.code
        })
    }
}

/// Why there is no configuration, and the exit code for it: 1 for errors in the file, 2 for a file
/// that cannot be read.
pub(super) struct Rejected {
    pub(super) problems: Problems,
    pub(super) code: ExitCode,
}

/// Reads a configuration.
pub(super) fn load(file: &Path) -> Result<Loaded, Rejected> {
    gateway_config::load(file).map_err(|error| {
        let code = match error {
            LoadError::Invalid(_) => ExitCode::FAILURE,
            LoadError::CannotRead { .. } => UNREADABLE.into(),
        };
        Rejected { problems: error.into_problems(), code }
    })
}

/// The problem of a file that gives no text to judge.
pub(super) fn cannot_read(message: &str, help: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        code: "cannot-read",
        message: message.to_owned(),
        help: Some(help.to_owned()),
        place: None,
        related: Vec::new(),
    }
}
