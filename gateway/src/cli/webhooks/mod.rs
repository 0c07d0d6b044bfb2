//! `gateway webhooks`: signatures of deliveries, by hand.

mod sign;
mod verify;

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use gateway_config::model::Secret;

use super::output::{UNREADABLE, complain};

/// Arguments of `gateway webhooks`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sign a payload as GitHub does
    Sign(sign::Arguments),
    /// Hold a payload's signature against a secret
    Verify(verify::Arguments),
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match &arguments.command {
        Command::Sign(arguments) => sign::main(arguments),
        Command::Verify(arguments) => verify::main(arguments),
    }
}

/// Where the secret is. It is never an argument: those are seen by everybody on the machine.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct SecretFrom {
    /// The file that holds the secret; one line end behind it is no part of it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The environment variable that holds the secret
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
}

/// The secret, and the payload from stdin; what is missing has been said.
fn read(from: &SecretFrom) -> Result<(String, Vec<u8>), ExitCode> {
    let file = from.secret_file.clone().map(Secret::File);
    let secret = file.or_else(|| from.secret_env.clone().map(Secret::Env));
    let said = |error: String| {
        complain(&format!("error: {error}\n"));
        ExitCode::from(UNREADABLE)
    };
    let secret = secret.ok_or_else(|| said("no secret is named".into()))?;
    let secret = secret.read().map_err(|error| said(error.to_string()))?;
    let mut payload = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut payload);
    read.map_err(|error| said(format!("cannot read the payload from stdin: {error}")))?;
    Ok((secret, payload))
}
