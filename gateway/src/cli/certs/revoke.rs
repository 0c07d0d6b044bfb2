//! `gateway certs revoke`: a certificate that must not be trusted any more, and its successor.

use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use gateway_acme::storage::Disk;
use gateway_acme::{ByHand, Reason, Revoked, ca_name};
use gateway_certs::Slots;
use gateway_config::model::{Config, Site};
use gateway_config::nearest;

use super::super::load::ConfigFile;
use super::super::output::{UNREADABLE, complain, print};
use super::super::waiting::wait_for;
use crate::acme::settings;

/// Arguments of `gateway certs revoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every certificate that is kept for the site is revoked by the account that it was issued to. A running
gateway replaces it within half a minute, with a new key; otherwise the next start does. Until its
successor is there it is served on: few clients ask whether a certificate was revoked, and none accepts
one of the local CA.

A certificate that expires, or is replaced, needs no revocation. One whose key somebody else may have
does. If it was the whole machine, give the account a new key as well: gateway acme rotate-key.

Exit codes: 0 revoked, 1 not revoked or errors in the configuration, 2 wrong arguments or a file that
cannot be read.

Examples:
  gateway certs revoke shop.example.com --reason key-compromise
  gateway certs revoke '*.example.com'")]
pub(super) struct Arguments {
    /// The site, by its name in the configuration
    site: String,
    /// Why, for whoever reads the CA's lists [default: none is given]
    #[arg(long, value_enum)]
    reason: Option<Why>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Why {
    /// Somebody else has, or may have, its key
    KeyCompromise,
    /// The names on it belong to another organisation now
    AffiliationChanged,
    /// Another has taken its place
    Superseded,
    /// Nothing is served under these names any more
    CessationOfOperation,
}

impl From<Why> for Reason {
    fn from(why: Why) -> Self {
        match why {
            Why::KeyCompromise => Self::KeyCompromise,
            Why::AffiliationChanged => Self::AffiliationChanged,
            Why::Superseded => Self::Superseded,
            Why::CessationOfOperation => Self::CessationOfOperation,
        }
    }
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let config = match arguments.file.load() {
        Ok(loaded) => loaded.config,
        Err(code) => return code,
    };
    if let Err(sentence) = site_of(&config, &arguments.site) {
        complain(&format!("error: {sentence}\n"));
        return UNREADABLE.into();
    }
    let reason = arguments.reason.map(Reason::from);
    let revoked = match revoke(&config, &arguments.site, reason) {
        Ok(revoked) => revoked,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    let (mut text, mut code) = (String::new(), ExitCode::SUCCESS);
    for one in &revoked {
        match report(one) {
            Ok(sentence) => text.push_str(&sentence),
            Err(sentence) => {
                complain(&sentence);
                code = ExitCode::FAILURE;
            }
        }
    }
    print(&text, code)
}

/// The site of this name, whose certificates come by ACME.
fn site_of<'c>(config: &'c Config, name: &str) -> Result<&'c Site, String> {
    let names: Vec<String> = config.sites.iter().map(|site| site.name.to_string()).collect();
    let found = config.sites.iter().find(|site| site.name.to_string() == name);
    match found {
        Some(site) if site.acme().is_some() => Ok(site),
        Some(_) => Err(format!(
            "the certificate of `{name}` does not come by ACME: revoke it where it comes from"
        )),
        None => {
            let meant = nearest(name, names.iter().map(String::as_str));
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?"));
            Err(format!("there is no site `{name}`{}", meant.unwrap_or_default()))
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn revoke(config: &Config, site: &str, reason: Option<Reason>) -> Result<Vec<Revoked>, Failure> {
    let storage = Arc::new(Disk::existing(&config.server.storage));
    let by_hand = ByHand::new(settings(config, &Slots::default()), storage)?;
    Ok(wait_for(by_hand.revoke(site, reason))?)
}

fn report(one: &Revoked) -> Result<String, String> {
    let Revoked { hosts, key, serial, directory, result } = one;
    let about = format!("{hosts} ({})", key.name());
    match result {
        Ok(()) => Ok(format!(
            "{about}: the certificate with serial number {} was revoked at {}.\n\
             A running gateway replaces it within half a minute, otherwise the next start does.\n",
            serial.as_deref().unwrap_or("unknown"),
            directory.as_deref().map_or("its CA", ca_name),
        )),
        Err(failure) => Err(format!("error: {about}: {failure}\n")),
    }
}
