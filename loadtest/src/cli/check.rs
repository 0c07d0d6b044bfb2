//! `loadtest check`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::output::{UNUSABLE, complain, may_be_coloured, print};
use crate::scenario::{LoadError, Overrides, Scenario, load};

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
    let path = &arguments.scenario;
    match load(path, &Overrides::default()) {
        Ok(scenario) => {
            print(&format!("{}: good: {scenario}\n", path.display()), ExitCode::SUCCESS)
        }
        Err(error @ LoadError::CannotRead { .. }) => refuse(&error, UNUSABLE),
        Err(error @ LoadError::Invalid(_)) => refuse(&error, 1),
    }
}

/// The scenario of `run`; otherwise what is wrong has been said.
pub(super) fn load_or_refuse(path: &Path, overrides: &Overrides) -> Result<Scenario, ExitCode> {
    load(path, overrides).map_err(|error| refuse(&error, UNUSABLE))
}

fn refuse(error: &LoadError, code: u8) -> ExitCode {
    match error {
        LoadError::CannotRead { .. } => complain(&format!("error: {error}\n")),
        LoadError::Invalid(problems) => complain(&problems.render(may_be_coloured(&io::stderr()))),
    }
    ExitCode::from(code)
}
