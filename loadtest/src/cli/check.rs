//! `loadtest check`.

use std::path::PathBuf;
use std::process::ExitCode;

/// Reads a scenario as `run` would and says everything that is wrong with it, at once. Nothing is
/// resolved and nothing is connected to.
///
/// Exit codes: 0 good, 1 errors, 2 the file cannot be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  loadtest check shop.toml")]
pub(super) struct Arguments {
    /// The scenario
    #[arg(value_name = "SCENARIO.toml")]
    scenario: PathBuf,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    drop(arguments.scenario.clone());
    ExitCode::from(super::output::UNUSABLE)
}
