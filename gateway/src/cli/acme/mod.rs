//! `gateway acme`: certificates that come by ACME.

mod doctor;

use std::process::ExitCode;

use clap::Subcommand;

/// What is asked about them.
#[derive(Debug, Subcommand)]
pub(super) enum AcmeCommand {
    /// Find out why a certificate does not come, and what to do
    Doctor(doctor::Arguments),
}

pub(super) fn main(command: &AcmeCommand) -> ExitCode {
    match command {
        AcmeCommand::Doctor(arguments) => doctor::main(arguments),
    }
}
