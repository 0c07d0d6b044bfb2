//! `gateway acme rotate-key`: account key rollover (RFC 8555 section 7.3.5).

use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_acme::storage::Disk;
use gateway_acme::{Authority, ByHand, ByHandError, Keeper, ca_name};
use gateway_certs::Slots;
use gateway_config::model::{AcmeCa, Config};

use super::super::load::ConfigFile;
use super::super::output::{UNREADABLE, complain, print};
use super::super::waiting::wait_for;
use crate::acme::settings;

/// Arguments of `gateway acme rotate-key`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The account stays the same: its orders, limits and binding to another account. Only its key is new, and
the old one is worth nothing from then on. Certificates and their keys do not change.

A running gateway holds the old key and would go on with it, so stop it before and start it again
afterwards.

Exit codes: 0 every account has a new key, 1 one has not, or errors in the configuration, 2 wrong
arguments or a file that cannot be read.

Examples:
  gateway acme rotate-key
  gateway acme rotate-key --directory letsencrypt")]
pub(super) struct Arguments {
    /// Only the account at this CA, by its name or URL in `[acme]`
    #[arg(long, value_name = "NAME|URL")]
    directory: Option<String>,
    #[command(flatten)]
    file: ConfigFile,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let config = match arguments.file.load() {
        Ok(loaded) => loaded.config,
        Err(code) => return code,
    };
    let storage = Disk::existing(&config.server.storage);
    let known = match Keeper::authorities(&config.acme, &storage, SystemTime::now()) {
        Ok(known) => known,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            return UNREADABLE.into();
        }
    };
    let chosen = match chosen(&known, arguments.directory.as_deref()) {
        Ok(chosen) => chosen,
        Err(sentence) => {
            complain(&format!("error: {sentence}\n"));
            return UNREADABLE.into();
        }
    };
    let with_account: Vec<_> =
        chosen.into_iter().filter(|authority| authority.account.is_some()).collect();
    if with_account.is_empty() {
        complain(
            "error: no account is kept, so there is no key to replace; one is made with the first order\n",
        );
        return ExitCode::FAILURE;
    }
    match rotate(&config, &with_account) {
        Ok(code) => code,
        Err(sentence) => {
            complain(&format!("error: {sentence}\n"));
            ExitCode::FAILURE
        }
    }
}

/// The CAs that are meant.
fn chosen<'a>(known: &'a [Authority], asked: Option<&str>) -> Result<Vec<&'a Authority>, String> {
    let Some(asked) = asked else { return Ok(known.iter().collect()) };
    let named = AcmeCa::NAMED.iter().find(|ca| ca.name() == Some(asked));
    let url = named.map_or(asked, AcmeCa::url);
    let found: Vec<_> = known.iter().filter(|one| one.directory == url).collect();
    if found.is_empty() {
        let all: Vec<_> = known.iter().map(|one| short_name(&one.directory)).collect();
        return Err(format!(
            "[acme] has no directory `{asked}`; there {} {}",
            if all.len() == 1 { "is" } else { "are" },
            all.join(", ")
        ));
    }
    Ok(found)
}

/// As the configuration calls it.
fn short_name(directory: &str) -> &str {
    let named = AcmeCa::NAMED.iter().find(|ca| ca.url() == directory);
    named.and_then(AcmeCa::name).unwrap_or(directory)
}

fn rotate(config: &Config, authorities: &[&Authority]) -> Result<ExitCode, String> {
    let storage = Arc::new(Disk::existing(&config.server.storage));
    let by_hand = ByHand::new(settings(config, &Slots::default()), storage);
    let by_hand = by_hand.map_err(|error| error.to_string())?;
    let lock = by_hand.lock().map_err(|error| match error {
        ByHandError::Busy => format!(
            "{error}, and would go on with the old key. Stop it, run this again, and start it: \
             that takes a few seconds, in which no site is served."
        ),
        error @ ByHandError::Keeper(_) => error.to_string(),
    })?;
    let (mut text, mut code) = (String::new(), ExitCode::SUCCESS);
    for Authority { directory, account, .. } in authorities {
        let changed = wait_for(by_hand.change_key(&*lock, directory));
        match changed.map_err(|error| error.to_string())? {
            Ok(()) => {
                let url = account.as_ref().map_or("", |account| &account.url);
                let ca = ca_name(directory);
                text.push_str(&format!("The account {url} at {ca} has a new key.\n"));
            }
            Err(failure) => {
                complain(&format!("error: {failure}\n"));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(print(&text, code))
}
