//! `loadtest scale`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::compare::seconds;
use super::output::{UNUSABLE, complain, print};
use super::page::{Failure, place, read_result, write};
use crate::scale::{self, Part, Plan, render};

/// Measures whether the gateway stays as cheap with many sites and routes, many connections, and
/// more cores.
///
/// Exit codes: 0 measured, 2 something is missing, does not run, or answers badly.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  loadtest scale\n  loadtest scale --only cores --rounds 31\n  loadtest scale --connections 10000"
)]
pub(super) struct Arguments {
    /// The gateway; without it target/dist/gateway, then target/release/gateway
    #[arg(long, value_name = "FILE")]
    gateway: Option<PathBuf>,
    /// What grows; without it everything, in turn
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    only: Vec<Part>,
    /// How often each is measured: short and often, as a machine's good and bad moments last for seconds.
    /// Memory, which knows none, is looked at three times at most
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long each load lasts
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = seconds)]
    seconds: f64,
    /// Sites of the largest configuration, with ten routes each
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    sites: u32,
    /// Idle connections in the end, or as many as a process may open files
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    connections: u32,
    /// Write everything that was measured, round by round
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables: into FILE between the lines `<!-- scale -->` and `<!-- /scale -->`, or a new FILE
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Measure nothing: show what an earlier --json says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["gateway", "only", "rounds", "seconds", "sites", "connections"])]
    from: Option<PathBuf>,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match measure_and_show(arguments) {
        Ok(text) => print(&text, ExitCode::SUCCESS),
        Err(error) => {
            complain(&format!("error: {error}\n"));
            ExitCode::from(UNUSABLE)
        }
    }
}

fn measure_and_show(arguments: &Arguments) -> Result<String, Failure> {
    let report = match &arguments.from {
        Some(file) => read_result(file)?,
        None => scale::run(&arguments.plan())?,
    };
    if let Some(file) = &arguments.json {
        write(file, &(serde_json::to_string_pretty(&report)? + "\n"))?;
    }
    if let Some(file) = &arguments.markdown {
        place(file, "scale", &render::markdown(&report))?;
    }
    Ok(render::text(&report))
}

impl Arguments {
    fn plan(&self) -> Plan {
        let parts = if self.only.is_empty() { Part::ALL.to_vec() } else { self.only.clone() };
        Plan {
            gateway: self.gateway.clone(),
            parts,
            rounds: self.rounds,
            load: Duration::from_secs_f64(self.seconds),
            sites: self.sites,
            connections: self.connections,
        }
    }
}
