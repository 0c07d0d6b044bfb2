//! `gateway certs`: the sites' certificates.

mod import;
mod list;
mod revoke;

use std::process::ExitCode;

use clap::Subcommand;

/// Arguments of `gateway certs`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every site's certificates, and when they are renewed
    List(list::Arguments),
    /// Have a site's certificates by ACME revoked, and replaced
    Revoke(revoke::Arguments),
    /// Take over the certificates that certbot or Caddy has won
    Import(import::Arguments),
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::List(arguments) => list::main(arguments),
        Command::Revoke(arguments) => revoke::main(arguments),
        Command::Import(arguments) => import::main(arguments),
    }
}
