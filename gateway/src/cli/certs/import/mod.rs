//! `gateway certs import`: the move from certbot or Caddy, without a new order.

mod caddy;
mod candidate;
mod certbot;
mod choice;
mod found;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_acme::storage::{Disk, Storage};
use gateway_acme::{ByHand, ByHandError, Keeper, State};
use gateway_certs::Slots;
use gateway_config::model::Config;

use super::super::at::At;
use super::super::load::ConfigFile;
use super::super::output::{UNREADABLE, complain, print};
use crate::acme::{settings, wanted};
use choice::Choice;
use found::Found;

/// Arguments of `gateway certs import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For every site with tls = \"acme\", the certificate that lasts longest of those that are valid, name all
its hosts and have the right kind of key is kept where the gateway keeps its own: so the move causes no
new order, and it is renewed when it is due. What lasts longer is never overwritten. Nothing in the
folder is changed. Accounts are not imported: the gateway makes its own with its first order.

A folder is certbot's (/etc/letsencrypt, with live/NAME/fullchain.pem and privkey.pem) or Caddy's
(~/.local/share/caddy, with certificates/CA/NAME/NAME.crt and NAME.key); what is there decides. Without
--from, all the usual places are looked at: /etc/letsencrypt, $XDG_DATA_HOME/caddy or
~/.local/share/caddy, /var/lib/caddy/.local/share/caddy, /data/caddy.

The gateway must not run meanwhile. Run as root, it gives what it writes to the owner of the storage
folder.

Exit codes: 0 every site has a certificate now, 1 one has not, or errors in the configuration, 2 wrong
arguments or a file that cannot be read.

Examples:
  gateway certs import --dry-run
  gateway certs import --from /etc/letsencrypt
  gateway certs import --from /var/lib/docker/volumes/caddy_data/_data/caddy")]
pub(super) struct Arguments {
    /// The folder to import from [default: the usual places]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Say what would be taken, and take nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Why nothing could be imported, and the exit code for it.
struct Refused(String, u8);

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let config = match arguments.file.load() {
        Ok(loaded) => loaded.config,
        Err(code) => return code,
    };
    match import(arguments, &config) {
        Ok((text, everything)) => {
            print(&text, if everything { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(Refused(sentence, code)) => {
            complain(&format!("error: {sentence}\n"));
            code.into()
        }
    }
}

/// Imports, and says what was taken and whether every certificate is there now.
fn import(arguments: &Arguments, config: &Config) -> Result<(String, bool), Refused> {
    if wanted(config, &Slots::default()).is_empty() {
        let sentence = "No site has its certificates by ACME: none says tls = \"acme\".\n";
        return Ok((sentence.into(), true));
    }
    let now = SystemTime::now();
    let found = found::look(arguments.from.as_deref(), &config.acme, now)
        .map_err(|sentence| Refused(sentence, UNREADABLE))?;
    if arguments.dry_run {
        let choices = choose(config, Disk::look(&config.server.storage), &found, now)?;
        return Ok(report(&choices, &found, true, At(now)));
    }
    let failed = |error: &dyn std::fmt::Display| Refused(error.to_string(), 1);
    let storage = Disk::open(&config.server.storage).map_err(|error| failed(&error))?;
    let by_hand = ByHand::new(settings(config, &Slots::default()), Arc::new(storage.clone()));
    let by_hand = by_hand.map_err(|error| failed(&error))?;
    let lock = by_hand.lock().map_err(|error| match error {
        ByHandError::Busy => Refused(format!("{error}. Stop it, run this again, and start it."), 1),
        error @ ByHandError::Keeper(_) => failed(&error),
    })?;
    let choices = choose(config, storage, &found, now)?;
    for (state, choice) in &choices {
        if let Choice::Take(candidate) = choice {
            by_hand
                .adopt(&*lock, &state.hosts, state.key, &candidate.bundle)
                .map_err(|error| failed(&error))?;
        }
    }
    Ok(report(&choices, &found, false, At(now)))
}

/// What to take for each certificate that is wanted.
fn choose<'f>(
    config: &Config,
    storage: impl Storage + 'static,
    found: &'f Found,
    now: SystemTime,
) -> Result<Vec<(State, Choice<'f>)>, Refused> {
    let states =
        Keeper::look(&config.acme, wanted(config, &Slots::default()), Arc::new(storage), now)
            .map_err(|error| Refused(error.to_string(), UNREADABLE))?;
    let choices = states.into_iter().map(|state| {
        let choice = Choice::of(&state, &found.candidates, now);
        (state, choice)
    });
    Ok(choices.collect())
}

fn report(choices: &[(State, Choice<'_>)], found: &Found, dry: bool, now: At) -> (String, bool) {
    let mut text = String::new();
    for place in &found.places {
        text.push_str(&format!("{place}\n"));
    }
    for reason in &found.passed_over {
        text.push_str(&format!("passed over: {reason}\n"));
    }
    text.push('\n');
    let mut taken = 0;
    for (state, choice) in choices {
        let key = state.key.name();
        text.push_str(&format!("{} ({key}): {}\n", state.site, choice.sentence(state, dry, now)));
        taken += usize::from(matches!(choice, Choice::Take(_)));
    }
    if dry {
        text.push_str("\nNothing was written: this was a dry run.\n");
    } else if taken > 0 {
        text.push_str(
            "\nThe other program must not renew them any more. Its accounts were not imported: the\n\
             gateway makes its own with its first order.\n",
        );
    }
    (text, choices.iter().all(|(_, choice)| choice.leaves_one()))
}

/// A folder's entries by name, so that the same folder gives the same answer.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            paths.push(entry?.path());
        }
        paths.sort();
        Ok(paths)
    };
    read().map_err(|error| {
        let help = match error.kind() {
            ErrorKind::PermissionDenied => "Run this as a user who may read it, such as root.",
            _ => "Name the folder of certbot or Caddy with --from.",
        };
        format!("`{}` cannot be read ({error}). {help}", folder.display())
    })
}
