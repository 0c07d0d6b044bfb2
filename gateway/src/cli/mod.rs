//! The command line.

mod acme;
mod at;
mod certs;
mod check_config;
mod demo;
mod explain;
mod hash_password;
mod healthcheck;
mod load;
mod output;
mod reload;
mod run;
mod schema;
mod style;
mod waiting;
mod webhooks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A TLS edge gateway: one binary, one TOML file.
#[derive(Debug, Parser)]
#[command(
    name = "gateway",
    version,
    about,
    arg_required_else_help = true,
    after_help = "\
A first look:
  gateway demo                 the gateway in front of sample applications, on this machine
  gateway check-config         what is wrong with gateway.toml, all at once
  gateway explain URL          what would happen to a request, and why
  gateway run                  serve

Without --config, commands read gateway.toml, then /etc/gateway/gateway.toml.

Exit codes: 0 good, 1 errors, 2 wrong arguments or a file that cannot be read.
Colours appear on terminals only, and never where NO_COLOR is set."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the sites of a configuration
    Run(run::Arguments),
    /// Have the gateway that runs read its configuration again
    Reload(reload::Arguments),
    /// Try the gateway in front of sample applications, without a configuration
    Demo(demo::Arguments),
    /// Check a configuration: everything that is wrong with it, at once
    CheckConfig(check_config::Arguments),
    /// Explain what would happen to a request, and why
    Explain(explain::Arguments),
    /// List, revoke and import the sites' certificates
    Certs(certs::Arguments),
    /// Accounts, and the CAs that certificates come from
    Acme(acme::Arguments),
    /// Print the configuration's JSON Schema, or its reference
    Schema(schema::Arguments),
    /// Make the hash that stands in the configuration in a password's place
    HashPassword(hash_password::Arguments),
    /// Sign and verify deliveries of webhooks by hand
    Webhooks(webhooks::Arguments),
    /// Ask a running gateway whether it is ready
    Healthcheck(healthcheck::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run::main(&arguments),
        Command::Reload(arguments) => reload::main(&arguments),
        Command::Demo(arguments) => demo::main(&arguments),
        Command::CheckConfig(arguments) => check_config::main(&arguments),
        Command::Explain(arguments) => explain::main(&arguments),
        Command::Certs(arguments) => certs::main(&arguments),
        Command::Acme(arguments) => acme::main(&arguments),
        Command::Schema(arguments) => schema::main(&arguments),
        Command::HashPassword(arguments) => hash_password::main(&arguments),
        Command::Webhooks(arguments) => webhooks::main(&arguments),
        Command::Healthcheck(arguments) => healthcheck::main(&arguments),
    }
}
