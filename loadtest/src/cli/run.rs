//! `loadtest run`.

use std::path::PathBuf;
use std::process::ExitCode;

/// Runs a scenario and says what came of it.
///
/// Exit codes: 0 good, 1 an SLO was missed, 2 wrong arguments, a scenario with errors, or a target
/// that cannot be reached.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  loadtest run shop.toml\n  loadtest run shop.toml --slo 'p99<50ms' --slo 'errors<0.1%'\n  loadtest run shop.toml --json new.json --html new.html --compare old.json"
)]
pub(super) struct Arguments {
    /// The scenario
    #[arg(value_name = "SCENARIO.toml")]
    scenario: PathBuf,
    /// Write the result as JSON; `-` is stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report for browsers, one file that needs no other; `-` is stdout
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Neither progress nor summary
    #[arg(long, short)]
    quiet: bool,
    /// What must hold: p50 to p99.999, mean, min, max, errors or rate, as in 'p99<50ms', 'errors<0.1%',
    /// 'rate>1000/s'
    #[arg(long, value_name = "EXPR")]
    slo: Vec<String>,
    /// Compare with an earlier result of --json
    #[arg(long, value_name = "OLD.json")]
    compare: Option<PathBuf>,
    /// In place of the scenario's `duration`
    #[arg(long, value_name = "DURATION")]
    duration: Option<String>,
    /// In place of the scenario's `rate`
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,
    /// In place of the scenario's `connections`
    #[arg(long, value_name = "N")]
    connections: Option<u32>,
    /// In place of the scenario's `name`
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Event loops, each on a thread of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    drop(format!("{arguments:?}"));
    ExitCode::from(super::output::UNUSABLE)
}
