//! What people have done to accounts and certificates, by a command.

use std::sync::Arc;
use std::time::SystemTime;

use gateway_certs::{Certificate, KeyKind};
use gateway_config::model::HostPattern;
use instant_acme::RevocationReason;

use super::entry::Entry;
use super::mark::Mark;
use super::perform::Performer;
use super::{KeeperError, Settings, Wanted};
use crate::authority::local;
use crate::failure::{Blame, Failure};
use crate::moment::Moment;
use crate::names::KeyType;
use crate::plan::Record;
use crate::responder::Responder;
use crate::storage::{Lease, Storage, StorageError, store_json};

/// Does by hand what no keeper does by itself.
pub struct ByHand {
    entries: Vec<Entry>,
    storage: Arc<dyn Storage>,
    performer: Performer,
}

impl std::fmt::Debug for ByHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByHand").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// Why something was not done by hand.
#[derive(Debug, thiserror::Error)]
pub enum ByHandError {
    /// Nothing can be read or kept, or nobody be asked.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// A keeper runs.
    #[error("a running gateway looks after the certificates in this storage")]
    Busy,
}

impl From<StorageError> for ByHandError {
    fn from(error: StorageError) -> Self {
        Self::Keeper(error.into())
    }
}

/// Why a certificate is revoked (RFC 5280 section 5.3.1); of those that subscribers may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Somebody else has, or may have, its key.
    KeyCompromise,
    /// The names on it belong to another organisation now.
    AffiliationChanged,
    /// Another has taken its place.
    Superseded,
    /// Nothing is served under these names any more.
    CessationOfOperation,
}

/// What came of a revocation.
#[derive(Debug)]
pub struct Revoked {
    /// The hosts of the certificate.
    pub hosts: String,
    /// The kind of its key.
    pub key: KeyType,
    /// Its serial number; none where none is kept.
    pub serial: Option<String>,
    /// The directory of the CA that issued it.
    pub directory: Option<String>,
    /// Whether it was revoked.
    pub result: Result<(), Failure>,
}

impl ByHand {
    /// Reads what is kept, and changes nothing yet.
    ///
    /// # Errors
    /// [`ByHandError::Keeper`].
    pub fn new(mut settings: Settings, storage: Arc<dyn Storage>) -> Result<Self, ByHandError> {
        // Nothing is proved here.
        settings.acme.dns = None;
        let wanted = std::mem::take(&mut settings.wanted);
        let responder = Arc::new(Responder::default());
        let performer = Performer::new(&settings, storage.clone(), responder, None)?;
        let mut entries: Vec<_> = wanted.into_iter().flat_map(Wanted::entries).collect();
        for entry in &mut entries {
            // What is damaged is nobody's business here: to the keeper it is.
            entry.load(&*storage)?;
        }
        Ok(Self { entries, storage, performer })
    }

    /// The keeper's lock: while it is held, no gateway looks after what is kept here.
    ///
    /// # Errors
    /// [`ByHandError::Busy`] where one does.
    pub fn lock(&self) -> Result<Box<dyn Lease>, ByHandError> {
        self.storage.try_lock("keeper")?.ok_or(ByHandError::Busy)
    }

    /// Gives the account at a CA a new key (RFC 8555 section 7.3.5). Not beside a running keeper, who
    /// would go on with the old one: so the lock is shown.
    ///
    /// # Errors
    /// [`Failure`]: the old key counts on.
    pub async fn change_key(&self, _lock: &dyn Lease, directory: &str) -> Result<(), Failure> {
        self.performer.change_key(directory).await.map_err(nobody_asks_again)
    }

    /// Has the certificates of a site revoked by the accounts that they were issued to, and marked, so
    /// that the keeper replaces them: a running one within half a minute, otherwise the next. Until
    /// then they are served.
    pub async fn revoke(&self, site: &str, reason: Option<Reason>) -> Vec<Revoked> {
        let mut all = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.site == site) {
            let record = entry.load_record(&*self.storage).map_err(local);
            let directory =
                record.as_ref().ok().and_then(|read| read.as_ref().ok()?.issued_by.clone());
            let result = match record {
                Ok(_) => self.revoke_one(entry, directory.as_deref(), reason).await,
                Err(failure) => Err(failure),
            };
            all.push(Revoked {
                hosts: entry.names(),
                key: entry.key,
                serial: entry.current.as_ref().map(|current| current.serial().to_owned()),
                directory,
                result,
            });
        }
        all
    }

    async fn revoke_one(
        &self,
        entry: &Entry,
        directory: Option<&str>,
        reason: Option<Reason>,
    ) -> Result<(), Failure> {
        let current = entry
            .current
            .as_ref()
            .ok_or_else(|| here("No certificate is kept.", "There is nothing to revoke."))?;
        let directory = directory.ok_or_else(|| {
            here(
                "It is not known which CA issued the certificate: another program had it issued.",
                "Revoke it with that program, or at the CA's site.",
            )
        })?;
        let revoked = self.performer.revoke(directory, current, reason.map(Reason::code)).await;
        revoked.map_err(nobody_asks_again)?;
        let mark =
            Mark { serial: current.serial().to_owned(), at: Moment::from(SystemTime::now()) };
        store_json(&*self.storage, &entry.mark_key(), &mark).map_err(|error| {
            let mut failure = local(error);
            failure.what =
                format!("It is revoked, but that cannot be written down: {}", failure.what);
            failure
        })
    }

    /// Keeps a certificate that another program had issued, in the place of what is kept for these
    /// hosts; `bundle` is key and chain as PEM. What the ledger says about failures is forgotten with
    /// it. Whether it is better is for the caller to know, who shows the lock.
    ///
    /// # Errors
    /// [`StorageError`]; what was kept before still is.
    pub fn adopt(
        &self,
        _lock: &dyn Lease,
        hosts: &[HostPattern],
        key: KeyType,
        bundle: &[u8],
    ) -> Result<(), StorageError> {
        let of = |entry: &&Entry| entry.key == key && entry.hosts == hosts;
        let Some(entry) = self.entries.iter().find(of) else { return Ok(()) };
        self.storage.store(&entry.bundle_key(), bundle)?;
        let Ok(record) = entry.load_record(&*self.storage)? else { return Ok(()) };
        let issued = record.issued.clone();
        let fresh = Record { issued, ..Record::default() };
        if record == fresh {
            return Ok(());
        }
        store_json(&*self.storage, &entry.record_key(), &fresh)
    }
}

impl Reason {
    fn code(self) -> RevocationReason {
        match self {
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::AffiliationChanged => RevocationReason::AffiliationChanged,
            Self::Superseded => RevocationReason::Superseded,
            Self::CessationOfOperation => RevocationReason::CessationOfOperation,
        }
    }
}

impl KeyType {
    /// Whether a certificate's key is of this kind.
    #[must_use]
    pub fn is_of(self, certificate: &Certificate) -> bool {
        match self {
            Self::Ecdsa => certificate.key_kind() == KeyKind::Ecdsa,
            Self::Rsa => certificate.key_kind() == KeyKind::Rsa,
        }
    }
}

fn here(what: &str, advice: &str) -> Failure {
    Failure {
        blame: Blame::Local,
        what: what.to_owned(),
        advice: advice.to_owned(),
        retry_after: None,
    }
}

/// Failures are written for attempts that are made again by themselves; this one is not.
fn nobody_asks_again(mut failure: Failure) -> Failure {
    for (of_itself, by_hand) in [
        ("Nothing is to be done: it is asked again", "Try again later"),
        ("It is asked again", "Try again later"),
        ("it is asked again", "try again"),
    ] {
        failure.advice = failure.advice.replace(of_itself, by_hand);
    }
    failure
}
