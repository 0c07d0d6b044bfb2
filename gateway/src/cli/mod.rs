//! The command line.

mod demo;
mod run;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A TLS edge gateway: one binary, one TOML file.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the sites of a configuration
    Run(run::Arguments),
    /// Try the gateway in front of sample applications, without a configuration
    Demo(demo::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run::main(&arguments),
        Command::Demo(arguments) => demo::main(&arguments),
    }
}

/// Whether stderr may be coloured: on a terminal, unless NO_COLOR (no-color.org) says no.
pub(crate) fn colour_wanted() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Which configuration a command is about.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration; default: gateway.toml, then /etc/gateway/gateway.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}
