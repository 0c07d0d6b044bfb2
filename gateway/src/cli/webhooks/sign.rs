//! `gateway webhooks sign`.

use std::process::ExitCode;

use super::super::output::print;
use super::{SecretFrom, read};
use crate::policy::webhook;

/// Arguments of `gateway webhooks sign`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The payload is read from stdin, every byte of it: `echo` adds a line end, `printf %s` does not.

Examples:
  gateway webhooks sign --secret-file secret < payload.json
  curl https://hooks.example.com/github --data-binary @payload.json -H 'X-GitHub-Event: ping' \\
    -H \"X-Hub-Signature-256: $(gateway webhooks sign --secret-file secret < payload.json)\"")]
pub(super) struct Arguments {
    #[command(flatten)]
    secret: SecretFrom,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match read(&arguments.secret) {
        Ok((secret, payload)) => {
            print(&format!("{}\n", webhook::sign(&secret, &payload)), ExitCode::SUCCESS)
        }
        Err(code) => code,
    }
}
