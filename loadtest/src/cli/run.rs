//! `loadtest run`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::check::load_or_refuse;
use super::output::{UNUSABLE, complain, may_be_coloured, print};
use super::progress::Progress;
use super::summary::{Paint, summary};
use crate::aim;
use crate::difference::compare;
use crate::engine::{Part, Report, Run, Unusable};
use crate::report;
use crate::result::{Gathering, RunResult, read_result};
use crate::scenario::{Overrides, Rate, parse_duration, parse_rate};
use crate::slo::Objective;

/// Runs a scenario and says what came of it.
///
/// Exit codes: 0 good, 1 an SLO was missed, 2 wrong arguments, a scenario with errors, or a target
/// that cannot be reached.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  loadtest run shop.toml
  loadtest run shop.toml --slo 'p99<50ms' --slo 'errors<0.1%'
  loadtest run shop.toml --json new.json --html new.html --compare old.json")]
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
    match run(arguments) {
        Ok(result) => show(arguments, &result),
        Err(code) => code,
    }
}

/// Runs the load; what is wrong has been said where there is no result.
fn run(arguments: &Arguments) -> Result<RunResult, ExitCode> {
    let overrides = Overrides {
        name: arguments.name.clone(),
        duration: arguments.duration,
        rate: arguments.rate,
        connections: arguments.connections,
    };
    let scenario = load_or_refuse(&arguments.scenario, &overrides)?;
    // Before the load, which may take long, and not after it.
    let old = arguments.compare.as_deref().map(read_result).transpose().map_err(|e| refuse(&e))?;
    let address = aim::address(&scenario).map_err(|refused| refuse(&refused))?;
    let gathering = Gathering::new(&scenario);
    let progress = Progress::begin(&scenario, arguments.quiet);
    let run = Run::begin(scenario, address, arguments.threads.into());
    let mut result =
        run.and_then(|run| follow(run, gathering, progress)).map_err(|e| refuse(&e))?;
    result.slo = arguments.slo.iter().map(|objective| objective.judge(&result)).collect();
    result.comparison = old.as_ref().map(|old| compare(old, &result));
    Ok(result)
}

fn refuse(error: &dyn std::error::Error) -> ExitCode {
    complain(&format!("error: {error}\n"));
    ExitCode::from(UNUSABLE)
}

/// Takes what the event loops report until they are done.
fn follow(
    run: Run,
    mut gathering: Gathering,
    mut progress: Progress,
) -> Result<RunResult, Unusable> {
    let mut failure = None;
    for report in &run.reports {
        match report {
            Report::Slice(slice) => {
                gathering.add(&slice);
                if let Part::Second(at) = slice.part
                    && let Some(second) = gathering.second(at)
                {
                    progress.second(&second, gathering.failed());
                }
            }
            Report::AllOpen(after) => {
                gathering.all_open(after);
                progress.warming_up();
                if let Some(line) = gathering.announcement() {
                    // Whoever measures the server waits for this line.
                    let _ = print(&line, ExitCode::SUCCESS);
                }
            }
            Report::Failed(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    progress.end();
    run.end();
    failure.map_or_else(|| Ok(gathering.finish()), Err)
}

/// Writes everything that was asked for.
fn show(arguments: &Arguments, result: &RunResult) -> ExitCode {
    let is_met = result.slo.iter().all(|verdict| verdict.met);
    let code = ExitCode::from(u8::from(!is_met));
    let stdout = Path::new("-");
    let outputs = [&arguments.json, &arguments.html];
    let takes_stdout = outputs.iter().any(|output| output.as_deref() == Some(stdout));
    if !arguments.quiet {
        let threads = arguments.threads.into();
        if takes_stdout {
            let paint = Paint(may_be_coloured(&std::io::stderr()));
            complain(&summary(result, threads, &paint));
        } else {
            let paint = Paint(may_be_coloured(&std::io::stdout()));
            let printed = print(&summary(result, threads, &paint), ExitCode::SUCCESS);
            if printed != ExitCode::SUCCESS {
                return printed;
            }
        }
    }
    let written = match &arguments.json {
        Some(file) => result.to_json().and_then(|json| write(file, &json)),
        None => Ok(()),
    };
    let written = written.and_then(|()| match &arguments.html {
        Some(file) => write(file, &report::page(result)),
        None => Ok(()),
    });
    match written {
        Ok(()) => code,
        Err(why) => {
            complain(&format!("error: {why}\n"));
            ExitCode::from(UNUSABLE)
        }
    }
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    if file == Path::new("-") {
        // What is wrong with stdout is said there.
        let _ = print(text, ExitCode::SUCCESS);
        return Ok(());
    }
    fs::write(file, text).map_err(|error| {
        let file = file.display();
        format!("cannot write {file}: {error}; name a file in a folder that is there and writable")
    })
}
