//! `gateway acme`: accounts, the CAs that certificates come from, and why one does not come.

mod doctor;
pub(super) mod failed;
mod rotate_key;
mod status;

use std::process::ExitCode;

use clap::Subcommand;

/// Arguments of `gateway acme`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show how things stand with each CA, and what was tried for each certificate
    Status(status::Arguments),
    /// Find out why a certificate does not come, and what to do
    Doctor(doctor::Arguments),
    /// Give the account at a CA a new key
    RotateKey(rotate_key::Arguments),
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Status(arguments) => status::main(arguments),
        Command::Doctor(arguments) => doctor::main(arguments),
        Command::RotateKey(arguments) => rotate_key::main(arguments),
    }
}
