//! The command line.

mod check;
mod compare;
mod origin;
mod output;
mod page;
mod progress;
mod run;
mod scale;
pub(crate) mod summary;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Load for a server, as a scenario describes it, and what came of it.
#[derive(Debug, Parser)]
#[command(
    name = "loadtest",
    version,
    about,
    arg_required_else_help = true,
    after_help = "\
A first look:
  loadtest check shop.toml                          what is wrong with a scenario, all at once
  loadtest run shop.toml                            the load, and what came of it
  loadtest run shop.toml --slo 'p99<50ms'           fails where the answers are slower
  loadtest run shop.toml --json new.json --compare old.json

It aims at loopback addresses and at the `hosts` of the scenario, and at nothing else.

Exit codes: 0 good, 1 an SLO was missed, 2 wrong arguments, a scenario with errors, or a target that
cannot be reached. Colours appear on terminals only, and never where NO_COLOR is set."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario
    Run(run::Arguments),
    /// Check a scenario: everything that is wrong with it, at once
    Check(check::Arguments),
    /// Measure the gateway beside nginx, HAProxy and Caddy
    Compare(compare::Arguments),
    /// Measure whether the gateway stays as cheap when there is more of everything
    Scale(scale::Arguments),
    /// Answer requests cheaply, behind a proxy that is measured
    Origin(origin::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run::main(&arguments),
        Command::Check(arguments) => check::main(&arguments),
        Command::Compare(arguments) => compare::main(&arguments),
        Command::Scale(arguments) => scale::main(&arguments),
        Command::Origin(arguments) => origin::main(&arguments),
    }
}
