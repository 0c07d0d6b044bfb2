//! Accounts: one at each CA, made once and kept.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use gateway_config::model::ExternalAccount;
use instant_acme::{Account, AccountCredentials, ExternalAccountKey, NewAccount};
use serde::{Deserialize, Serialize};

use super::despite_bad_nonces;
use super::explain::Attempt;
use super::http::Http;
use super::known;
use crate::failure::{Blame, Failure};
use crate::storage::{Storage, StorageError, store_json};

/// What is kept of an account.
#[derive(Serialize, Deserialize)]
struct Kept {
    contact: Vec<String>,
    credentials: AccountCredentials,
}

/// Every account, and how to get one.
pub(crate) struct Accounts {
    storage: Arc<dyn Storage>,
    contact: Vec<String>,
    open: tokio::sync::Mutex<HashMap<String, Account>>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("contact", &self.contact).finish_non_exhaustive()
    }
}

impl Accounts {
    pub(crate) fn new(storage: Arc<dyn Storage>, contact: Vec<String>) -> Self {
        Self { storage, contact, open: tokio::sync::Mutex::default() }
    }

    /// The account at a CA: the one that is open, the one that is kept, or a new one. One at a time:
    /// many orders begin together, and need one account.
    pub(crate) async fn at(
        &self,
        directory: &str,
        http: &Http,
        external: Option<&ExternalAccount>,
    ) -> Result<Account, Failure> {
        let mut open = self.open.lock().await;
        if let Some(account) = open.get(directory) {
            return Ok(account.clone());
        }
        let account = match self.load(directory)? {
            Some(kept) => self.reopen(directory, http, kept).await?,
            None => self.register(directory, http, external).await?,
        };
        open.insert(directory.to_owned(), account.clone());
        Ok(account)
    }

    /// Forgets an account that its CA does not know (any more); the next attempt makes another.
    pub(crate) async fn forget(&self, directory: &str) -> Result<(), StorageError> {
        self.open.lock().await.remove(directory);
        self.storage.remove(&key(directory))
    }

    /// The account that is kept; none is made.
    pub(crate) async fn kept(&self, directory: &str, http: &Http) -> Result<Account, Failure> {
        match self.load(directory)? {
            Some(kept) => open(directory, http, &kept.credentials).await,
            None => Err(Failure {
                blame: Blame::Account,
                what: format!("No account at {} is kept.", known::name(directory)),
                advice: "Nothing can be done here: one is made with the first order.".into(),
                retry_after: None,
            }),
        }
    }

    /// Gives the account at a CA a new key (RFC 8555 section 7.3.5).
    pub(crate) async fn change_key(&self, directory: &str, http: &Http) -> Result<(), Failure> {
        let mut account = self.kept(directory, http).await?;
        // That the disk takes it is seen before the CA knows only the new key.
        let Some(Kept { contact, credentials }) = self.load(directory)? else { return Ok(()) };
        store(&*self.storage, directory, &contact, &credentials)?;
        let attempt = Attempt { directory, challenge: None };
        let changed = despite_bad_nonces(async || account.update_key().await).await;
        let credentials = changed.map_err(|error| attempt.failure(&error))?;
        store(&*self.storage, directory, &contact, &credentials)?;
        self.open.lock().await.insert(directory.to_owned(), account);
        Ok(())
    }

    fn load(&self, directory: &str) -> Result<Option<Kept>, Failure> {
        let key = key(directory);
        let Some(content) = self.storage.load(&key).map_err(local)? else { return Ok(None) };
        match serde_json::from_slice(&content) {
            Ok(kept) => Ok(Some(kept)),
            // Of no use to anybody; a new account does as well.
            Err(_) => self.storage.set_aside(&key).map(|_| None).map_err(local),
        }
    }

    async fn reopen(&self, directory: &str, http: &Http, kept: Kept) -> Result<Account, Failure> {
        let attempt = Attempt { directory, challenge: None };
        let account = open(directory, http, &kept.credentials).await?;
        if kept.contact != self.contact {
            let contact: Vec<_> = self.contact.iter().map(String::as_str).collect();
            despite_bad_nonces(async || account.update_contacts(&contact).await)
                .await
                .map_err(|error| attempt.failure(&error))?;
            self.store(directory, &kept.credentials)?;
        }
        Ok(account)
    }

    async fn register(
        &self,
        directory: &str,
        http: &Http,
        external: Option<&ExternalAccount>,
    ) -> Result<Account, Failure> {
        let attempt = Attempt { directory, challenge: None };
        let contact: Vec<_> = self.contact.iter().map(String::as_str).collect();
        let wanted = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let external = external.map(external_key).transpose()?;
        let created = despite_bad_nonces(async || {
            let builder = Account::builder_with_http(Box::new(http.clone()));
            builder.create(&wanted, directory.to_owned(), external.as_ref()).await
        });
        let (account, credentials) = created.await.map_err(|error| attempt.failure(&error))?;
        self.store(directory, &credentials)?;
        Ok(account)
    }

    fn store(&self, directory: &str, credentials: &AccountCredentials) -> Result<(), Failure> {
        store(&*self.storage, directory, &self.contact, credentials)
    }
}

async fn open(
    directory: &str,
    http: &Http,
    credentials: &AccountCredentials,
) -> Result<Account, Failure> {
    let attempt = Attempt { directory, challenge: None };
    let builder = Account::builder_with_http(Box::new(http.clone()));
    // Serialised and read again, since credentials cannot be copied.
    let credentials = serde_json::to_vec(credentials)
        .and_then(|text| serde_json::from_slice(&text))
        .map_err(|error| attempt.failure(&error.into()))?;
    builder.from_credentials(credentials).await.map_err(|error| attempt.failure(&error))
}

fn store(
    storage: &dyn Storage,
    directory: &str,
    contact: &[String],
    credentials: &AccountCredentials,
) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Keep<'a> {
        contact: &'a [String],
        credentials: &'a AccountCredentials,
    }
    store_json(storage, &key(directory), &Keep { contact, credentials }).map_err(local)
}

/// Under which key an account is kept.
pub(crate) fn key(directory: &str) -> String {
    format!("account-{}.json", crate::names::slug(directory))
}

/// A failure of this machine's disk.
pub(crate) fn local(error: StorageError) -> Failure {
    Failure::explained(Blame::Local, "In the storage, ", &error)
}

/// The key that the CA gave: base64url, with or without padding.
fn external_key(external: &ExternalAccount) -> Result<ExternalAccountKey, Failure> {
    let explained = |error| Failure::explained(Blame::Account, "For `eab`, ", &error);
    let text = external.key.read().map_err(explained)?;
    let text = text.trim();
    let key = BASE64_URL_SAFE_NO_PAD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text));
    let key = key.map_err(|_| Failure {
        blame: Blame::Account,
        what: format!("The key of `eab`, {}, is not base64url.", external.key),
        advice: "Put the HMAC key there as the CA gave it, without anything around it.".into(),
        retry_after: None,
    })?;
    Ok(ExternalAccountKey::new(external.key_id.clone(), &key))
}
