//! `loadtest compare`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::output::{UNUSABLE, complain, print};
use super::page::{Failure, place, read_result, write};
use crate::compare::{self, Plan, Row, render};

/// Measures the gateway beside nginx, HAProxy and Caddy, those that are installed.
///
/// Each is set up for the same work on one core: TLS 1.3 with one ECDSA certificate, forwarding and
/// security headers, a rate limit, an access log, metrics, connections to the origin that are kept.
/// They take turns in every round; ratios are taken round by round.
///
/// Exit codes: 0 measured, 2 something is missing, does not run, or answers badly.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  loadtest compare\n  loadtest compare --only h1,h2 --rounds 3\n  loadtest compare --print-config configurations"
)]
pub(super) struct Arguments {
    /// The gateway; without it target/dist/gateway, then target/release/gateway
    #[arg(long, value_name = "FILE")]
    gateway: Option<PathBuf>,
    /// Measure the gateway alone: a load of every kind, for a build that learns from it
    #[arg(long)]
    alone: bool,
    /// What to measure; without it everything
    #[arg(long, value_name = "ROWS", value_delimiter = ',')]
    only: Vec<Row>,
    /// How often; each server is first in turn
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long each load lasts
    #[arg(long, value_name = "N", default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// One round of half a second, to see that everything works; the figures mean little
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// Write everything that was measured, round by round
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the table: into FILE between the lines `<!-- compare -->` and `<!-- /compare -->`, or a new FILE
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the picture
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Measure nothing: show what an earlier --json says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["gateway", "alone", "only", "rounds", "seconds", "quick"])]
    from: Option<PathBuf>,
    /// Measure nothing: write the servers' configurations to this folder
    #[arg(long, value_name = "DIR")]
    print_config: Option<PathBuf>,
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=600.0).contains(seconds));
    seconds.ok_or_else(|| "a number of seconds from 0.1 to 600".into())
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let shown = match &arguments.print_config {
        Some(folder) => compare::print_config(folder).map(|()| String::new()).map_err(Into::into),
        None => measure_and_show(arguments),
    };
    match shown {
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
        None => compare::run(&arguments.plan())?,
    };
    if let Some(file) = &arguments.json {
        write(file, &(serde_json::to_string_pretty(&report)? + "\n"))?;
    }
    if let Some(file) = &arguments.markdown {
        place(file, "compare", &render::markdown(&report))?;
    }
    if let Some(file) = &arguments.svg {
        write(file, &render::svg(&report))?;
    }
    Ok(render::text(&report))
}

impl Arguments {
    fn plan(&self) -> Plan {
        let mut rows = if self.only.is_empty() { Row::ALL.to_vec() } else { self.only.clone() };
        // Latency is measured at a rate that the others have reached.
        rows.retain(|row| !self.alone || *row != Row::Latency);
        Plan {
            gateway: self.gateway.clone(),
            alone: self.alone,
            rows,
            rounds: if self.quick { 1 } else { self.rounds },
            load: Duration::from_secs_f64(if self.quick { 0.5 } else { self.seconds }),
            idle: if self.quick { (50, 250) } else { (200, 1000) },
        }
    }
}
