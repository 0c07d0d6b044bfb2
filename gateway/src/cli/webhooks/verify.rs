//! `gateway webhooks verify`.

use std::process::ExitCode;

use super::super::output::{complain, print};
use super::{SecretFrom, read};
use crate::policy::webhook;

/// Arguments of `gateway webhooks verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The payload is read from stdin. A good signature is exit code 0, another one 1.

Examples:
  gateway webhooks verify --secret-file secret --signature sha256=7571… < payload.json
  gateway webhooks verify --secret-env GITHUB_SECRET --signature \"$SIGNATURE\" < payload.json")]
pub(super) struct Arguments {
    #[command(flatten)]
    secret: SecretFrom,
    /// The signature, as `X-Hub-Signature-256` has it
    #[arg(long, value_name = "SIGNATURE")]
    signature: String,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let (secret, payload) = match read(&arguments.secret) {
        Ok(read) => read,
        Err(code) => return code,
    };
    if webhook::is_signed_by(&secret, &payload, &arguments.signature) {
        return print("the signature is good\n", ExitCode::SUCCESS);
    }
    complain("the signature is not by this secret, or not of this payload\n");
    ExitCode::FAILURE
}
