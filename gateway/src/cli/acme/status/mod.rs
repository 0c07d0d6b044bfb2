//! `gateway acme status`: how things stand with each CA, and what was tried for each certificate.

mod human;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway_acme::storage::{Disk, StorageError};
use gateway_acme::{Authority, DirectoryFacts, Failure, Keeper, ca_name};
use gateway_certs::Slots;
use gateway_config::model::Config;
use serde::Serialize;

use super::super::at::At;
use super::super::load::ConfigFile;
use super::super::output::{UNREADABLE, complain, print};
use super::super::waiting::wait_for;
use super::failed::Attempts;
use crate::acme::wanted;
use crate::terminal::may_be_coloured;

/// How long each CA may take to say what it offers.
const LIMIT: Duration = Duration::from_secs(5);

/// Arguments of `gateway acme status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Read from the configuration and the storage folder: beside a running gateway or without one. Nothing is
changed, and without --live nobody is asked.

A CA that is left alone, or certificates that fail, are shown and no failure of this command: exit code
0. Errors in the configuration are 1; wrong arguments and what cannot be read, 2.

Examples:
  gateway acme status
  gateway acme status --live                        each CA's profiles, too
  gateway acme status --json | jq '.authorities[] | {directory, held_until}'")]
pub(super) struct Arguments {
    /// Ask each CA what it offers: profiles, renewal information
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    file: ConfigFile,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// How everything stands.
#[derive(Debug, Serialize)]
struct Status {
    authorities: Vec<Ca>,
    certificates: Vec<Certificate>,
}

/// One CA.
#[derive(Debug, Serialize)]
struct Ca {
    name: String,
    directory: String,
    /// Whether what it issues is trusted by nobody.
    staging: bool,
    /// The directory that this is asked for beforehand.
    rehearses: Option<String>,
    account: Option<gateway_acme::Account>,
    held_until: Option<At>,
    failures: u32,
    orders_left: Option<u32>,
    orders_limit: Option<(u32, u64)>,
    renewal_info: bool,
    /// What it said a moment ago; none where it was not asked.
    live: Option<DirectoryFacts>,
    /// Why it said nothing.
    live_failure: Option<Failure>,
    problems: Vec<String>,
}

/// One certificate.
#[derive(Debug, Serialize)]
struct Certificate {
    site: String,
    names: Vec<String>,
    key: &'static str,
    not_after: Option<At>,
    attempts: Attempts,
    problems: Vec<String>,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let config = match arguments.file.load() {
        Ok(loaded) => loaded.config,
        Err(code) => return code,
    };
    let now = SystemTime::now();
    let mut status = match look(&config, now) {
        Ok(status) => status,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            return UNREADABLE.into();
        }
    };
    if arguments.live
        && let Err(error) = wait_for(ask(&config, &mut status.authorities))
    {
        complain(&format!("error: nobody can be asked: {error}\n"));
        return ExitCode::FAILURE;
    }
    let text = if arguments.json {
        // Every key is a string, so that nothing can fail here.
        format!("{}\n", serde_json::to_string_pretty(&status).unwrap_or_default())
    } else {
        human::render(&status, At(now), may_be_coloured(&std::io::stdout()))
    };
    print(&text, ExitCode::SUCCESS)
}

/// What is kept; nothing counts where no site wants any of it.
fn look(config: &Config, now: SystemTime) -> Result<Status, StorageError> {
    let wanted = wanted(config, &Slots::default());
    if wanted.is_empty() {
        return Ok(Status { authorities: Vec::new(), certificates: Vec::new() });
    }
    let storage = Arc::new(Disk::existing(&config.server.storage));
    let authorities = Keeper::authorities(&config.acme, &*storage, now)?;
    let states = Keeper::look(&config.acme, wanted, storage, now)?;
    let certificates = states.iter().map(|state| Certificate {
        site: state.site.clone(),
        names: state.hosts.iter().map(ToString::to_string).collect(),
        key: state.key.name(),
        not_after: state.lifetime.map(|lifetime| lifetime.not_after.into()),
        attempts: Attempts::of(state, now),
        problems: state.damaged.clone(),
    });
    Ok(Status {
        authorities: authorities.into_iter().map(Ca::from).collect(),
        certificates: certificates.collect(),
    })
}

/// Asks each configured CA for its directory.
async fn ask(config: &Config, authorities: &mut [Ca]) {
    for directory in &config.acme.directories {
        let of = |ca: &&mut Ca| ca.directory == directory.ca.url();
        let Some(ca) = authorities.iter_mut().find(of) else { continue };
        match DirectoryFacts::ask(directory, &config.server.dns, LIMIT).await {
            Ok(facts) => ca.live = Some(facts),
            Err(failure) => ca.live_failure = Some(failure),
        }
    }
}

impl From<Authority> for Ca {
    fn from(authority: Authority) -> Self {
        let name = ca_name(&authority.directory).to_owned();
        Self {
            staging: authority.rehearses.is_some() || name.contains("staging"),
            name,
            directory: authority.directory,
            rehearses: authority.rehearses,
            account: authority.account,
            held_until: authority.held_until.map(At::from),
            failures: authority.failures,
            orders_left: authority.orders_left,
            orders_limit: authority.orders_limit,
            renewal_info: authority.renewal_info,
            live: None,
            live_failure: None,
            problems: authority.damaged,
        }
    }
}
