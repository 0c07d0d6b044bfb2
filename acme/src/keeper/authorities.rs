//! How things stand with the CAs, for whoever asks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use gateway_config::model::{Acme, AcmeDirectory};
use serde::{Deserialize, Serialize};

use super::Keeper;
use super::ledger::ca_key;
use crate::authority::{Attempt, DirectoryDocument, Http, Skew, account_key, known};
use crate::failure::Failure;
use crate::https::HttpsClient;
use crate::moment::Moment;
use crate::plan::{Ca, CaRecord, Limits, Rate};
use crate::storage::{Storage, StorageError};

/// How things stand with one CA.
#[derive(Debug, Clone, Serialize)]
pub struct Authority {
    /// The URL of its directory.
    pub directory: String,
    /// The directory that this is the staging environment of: it is asked where a name has failed.
    pub rehearses: Option<String>,
    /// The account that is kept.
    pub account: Option<Account>,
    /// Until when it is left alone.
    pub held_until: Option<Moment>,
    /// Failures of the CA's in a row.
    pub failures: u32,
    /// How many orders may be made now, where a limit is known.
    pub orders_left: Option<u32>,
    /// That limit: how many orders, in how many seconds.
    pub orders_limit: Option<(u32, u64)>,
    /// Whether it has renewal information (RFC 9773), as its directory said last.
    pub renewal_info: bool,
    /// What is kept and of no use, in a sentence each; it will be replaced.
    pub damaged: Vec<String>,
}

/// What is kept of an account, without its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its URL.
    pub url: String,
    /// Where the CA may write to.
    pub contact: Vec<String>,
}

/// What a directory says about its CA.
#[derive(Debug, Clone, Serialize)]
pub struct DirectoryFacts {
    /// Its profiles, and what it says about each.
    pub profiles: BTreeMap<String, String>,
    /// Whether it has renewal information (RFC 9773).
    pub renewal_info: bool,
    /// Whether it takes no account without a binding to another one.
    pub external_account_required: bool,
}

/// The part of a kept account that everybody may see.
#[derive(Deserialize)]
struct Peek {
    contact: Vec<String>,
    credentials: PeekCredentials,
}

#[derive(Deserialize)]
struct PeekCredentials {
    id: String,
}

impl Keeper {
    /// How things stand with every configured CA, from what is kept: for whoever only looks, and
    /// touches nothing. A staging environment stands behind its CA where anything is kept of it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn authorities(
        acme: &Acme,
        storage: &dyn Storage,
        now: SystemTime,
    ) -> Result<Vec<Authority>, StorageError> {
        let now = Moment::from(now);
        let mut all: Vec<Authority> = Vec::new();
        for Ca { directory, staging, limits } in acme.directories.iter().map(known::plan) {
            let staging = staging.map(|staging| {
                look(storage, staging, Some(directory.clone()), &Limits::UNKNOWN, now)
            });
            all.push(look(storage, directory, None, &limits, now)?);
            let staging = staging.transpose()?.filter(|one| {
                let configured =
                    acme.directories.iter().any(|other| other.ca.url() == one.directory);
                !configured && (one.account.is_some() || one.failures > 0)
            });
            all.extend(staging);
        }
        Ok(all)
    }
}

fn look(
    storage: &dyn Storage,
    directory: String,
    rehearses: Option<String>,
    limits: &Limits,
    now: Moment,
) -> Result<Authority, StorageError> {
    let mut damaged = Vec::new();
    let record: CaRecord = read(storage, &ca_key(&directory), &mut damaged)?.unwrap_or_default();
    let account: Option<Peek> = read(storage, &account_key(&directory), &mut damaged)?;
    Ok(Authority {
        account: account
            .map(|Peek { contact, credentials }| Account { url: credentials.id, contact }),
        held_until: Some(record.open_at()).filter(|until| *until > now),
        failures: record.failures,
        orders_left: record.orders_left(limits, now),
        orders_limit: limits.orders.map(|Rate { count, within }| (count, within.as_secs())),
        renewal_info: record.renewal_info,
        directory,
        rehearses,
        damaged,
    })
}

fn read<T: serde::de::DeserializeOwned>(
    storage: &dyn Storage,
    key: &str,
    damaged: &mut Vec<String>,
) -> Result<Option<T>, StorageError> {
    let Some(content) = storage.load(key)? else { return Ok(None) };
    match serde_json::from_slice(&content) {
        Ok(read) => Ok(Some(read)),
        // Without what the parser saw there: it may be a part of a key.
        Err(error) => {
            let (file, line) = (storage.describe(key), error.line());
            damaged.push(format!(
                "{file} is of no use (its JSON breaks off or is wrong in line {line})."
            ));
            Ok(None)
        }
    }
}

impl DirectoryFacts {
    /// Asks a CA for its directory.
    ///
    /// # Errors
    /// [`Failure`], also where it takes longer than `limit`.
    pub async fn ask(
        directory: &AcmeDirectory,
        nameservers: &[SocketAddr],
        limit: Duration,
    ) -> Result<Self, Failure> {
        let url = directory.ca.url();
        let attempt = Attempt { directory: url, challenge: None };
        let client = HttpsClient::new(directory.roots.as_deref(), nameservers)
            .map_err(|error| attempt.failure(&instant_acme::Error::Other(Box::new(error))))?;
        let http = Http { client: client.with_time_limit(limit), skew: Skew::default() };
        let document = DirectoryDocument::fetch(&http, url).await;
        let document = document.map_err(|error| attempt.failure(&error))?;
        Ok(Self {
            renewal_info: document.has_renewal_info(),
            external_account_required: document.wants_external_account(),
            profiles: document.into_profiles(),
        })
    }
}
