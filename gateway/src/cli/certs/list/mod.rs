//! `gateway certs list`: every certificate of every site, from the configuration and what is kept.

mod gather;
mod human;

use std::process::ExitCode;
use std::time::SystemTime;

use serde::Serialize;

use super::super::acme::failed::Attempts;
use super::super::at::At;
use super::super::load::ConfigFile;
use super::super::output::{UNREADABLE, complain, print};
use crate::terminal::may_be_coloured;

/// Arguments of `gateway certs list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Read from the configuration, its certificate files and the storage folder: beside a running gateway or
without one. Nothing is asked and nothing is changed. Certificates of the local CA are made when the
gateway starts, so there is nothing of them to read.

A certificate that has failed, or is missing, is shown and no failure of this command: exit code 0.
Errors in the configuration are 1; wrong arguments and what cannot be read, 2.

Examples:
  gateway certs list
  gateway certs list --json | jq '.certificates[] | select(.attempts.failures > 0) | .site'")]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// One certificate.
#[derive(Debug, Serialize)]
struct Row {
    site: String,
    names: Vec<String>,
    source: Source,
    /// Where it is, or will be.
    file: Option<String>,
    #[serde(serialize_with = "in_lower_case")]
    key: Option<String>,
    issuer: Option<String>,
    serial: Option<String>,
    not_before: Option<At>,
    not_after: Option<At>,
    /// None for certificates that the gateway does not renew from what is kept.
    attempts: Option<Attempts>,
    /// What is wrong with it, in a sentence or two each.
    problems: Vec<String>,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Source {
    Acme,
    LocalCa,
    File,
}

/// As the configuration writes kinds of keys.
fn in_lower_case<S: serde::Serializer>(key: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    key.as_ref().map(|key| key.to_lowercase()).serialize(to)
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let config = match arguments.file.load() {
        Ok(loaded) => loaded.config,
        Err(code) => return code,
    };
    let now = SystemTime::now();
    let rows = match gather::rows(&config, now) {
        Ok(rows) => rows,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            return UNREADABLE.into();
        }
    };
    let text = if arguments.json {
        // Every key is a string, so that nothing can fail here.
        let object = serde_json::json!({ "certificates": rows });
        format!("{}\n", serde_json::to_string_pretty(&object).unwrap_or_default())
    } else {
        human::render(&rows, At(now), may_be_coloured(&std::io::stdout()))
    };
    print(&text, ExitCode::SUCCESS)
}
