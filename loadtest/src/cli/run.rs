//! `loadtest run`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::check::load_or_refuse;
use super::output::{UNUSABLE, complain, print};
use crate::engine::{Part, Report, Run, Unusable};
use crate::result::{Gathering, RunResult};
use crate::scenario::{Overrides, Rate, Scenario, parse_duration, parse_rate};
use crate::slo::Objective;
use crate::{aim, engine};

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
    /// What must hold, as in 'p99<50ms', 'errors<0.1%' or 'rate>1000/s'; may be repeated
    #[arg(long, value_name = "EXPR", value_parser = Objective::parse)]
    slo: Vec<Objective>,
    /// Compare with an earlier result of --json
    #[arg(long, value_name = "OLD.json")]
    compare: Option<PathBuf>,
    /// In place of the scenario's `duration`
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// In place of the scenario's `rate`
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    rate: Option<Rate>,
    /// In place of the scenario's `connections`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: Option<u32>,
    /// In place of the scenario's `name`
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Event loops, each on a thread of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let overrides = Overrides {
        name: arguments.name.clone(),
        duration: arguments.duration,
        rate: arguments.rate,
        connections: arguments.connections,
    };
    let scenario = match load_or_refuse(&arguments.scenario, &overrides) {
        Ok(scenario) => scenario,
        Err(code) => return code,
    };
    let address = match aim::address(&scenario) {
        Ok(address) => address,
        Err(refused) => {
            complain(&format!("error: {refused}\n"));
            return ExitCode::from(UNUSABLE);
        }
    };
    let mut gathering = Gathering::new(&scenario);
    let run = Run::begin(scenario, address, arguments.threads.into());
    let result = match run.and_then(|run| follow(run, gathering)) {
        Ok(r) => r,
        Err(e) => {
            complain(&format!("error: {e}\n"));
            return ExitCode::from(UNUSABLE);
        }
    };
    print(&serde_json::to_string(&result).unwrap_or_default(), ExitCode::SUCCESS)
}

fn follow(run: Run, mut gathering: Gathering) -> Result<RunResult, Unusable> {
    for report in &run.reports {
        match report {
            Report::Slice(slice) => gathering.add(&slice),
            Report::AllOpen(after) => gathering.all_open(after),
            Report::Failed(error) => {
                run.end();
                return Err(error);
            }
        }
    }
    run.end();
    Ok(gathering.finish())
}
