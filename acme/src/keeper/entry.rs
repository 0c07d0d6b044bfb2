//! One certificate that is wanted, and what there is of it.

use std::path::Path;
use std::sync::Arc;

use gateway_certs::{Certificate, Slot};
use gateway_config::model::{AcmeCertificate, AcmeKeys, HostPattern};

use crate::moment::Moment;
use crate::names::{KeyType, certificate_id};
use crate::plan::{Lifetime, Record};
use crate::storage::{Storage, StorageError};

/// Hosts that want a certificate.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The site's name.
    pub site: String,
    /// The hosts that share it.
    pub hosts: Vec<HostPattern>,
    /// What it is to be like.
    pub certificate: AcmeCertificate,
    /// Where it is served from.
    pub slot: Arc<Slot>,
}

/// A certificate of one kind of key.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) site: String,
    pub(super) hosts: Vec<HostPattern>,
    pub(super) key: KeyType,
    pub(super) profile: Option<String>,
    pub(super) slot: Arc<Slot>,
    pub(super) current: Option<Arc<Certificate>>,
    /// What was found to be of no use by somebody who only looks.
    pub(super) damaged: Vec<String>,
}

/// Something that was kept and is of no use.
#[derive(Debug)]
pub(super) struct Damage {
    /// Its key in the storage.
    pub(super) key: String,
    pub(super) why: String,
}

impl Wanted {
    pub(super) fn entries(self) -> impl Iterator<Item = Entry> {
        let keys: &[KeyType] = match self.certificate.keys {
            AcmeKeys::Ecdsa => &[KeyType::Ecdsa],
            AcmeKeys::Rsa => &[KeyType::Rsa],
            AcmeKeys::Both => &[KeyType::Ecdsa, KeyType::Rsa],
        };
        keys.iter().map(move |key| Entry {
            id: certificate_id(&self.hosts, *key),
            site: self.site.clone(),
            hosts: self.hosts.clone(),
            key: *key,
            profile: self.certificate.profile.clone(),
            slot: self.slot.clone(),
            current: None,
            damaged: Vec::new(),
        })
    }
}

impl Entry {
    /// The hosts, as a sentence has them.
    pub(super) fn names(&self) -> String {
        self.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Where its key and chain are.
    pub(super) fn bundle_key(&self) -> String {
        format!("{}.pem", self.id)
    }

    /// Where its ledger is.
    pub(super) fn record_key(&self) -> String {
        format!("{}.json", self.id)
    }

    /// Where it stands that the certificate was revoked.
    pub(super) fn mark_key(&self) -> String {
        format!("{}.revoked.json", self.id)
    }

    pub(super) fn lifetime(&self) -> Option<Lifetime> {
        self.current.as_ref().map(|current| lifetime(current))
    }

    /// Reads key and chain. One that has ended is read too: it is still what was won last.
    pub(super) fn load(&mut self, storage: &dyn Storage) -> Result<Option<Damage>, StorageError> {
        let key = self.bundle_key();
        let Some(content) = storage.load(&key)? else { return Ok(None) };
        match gateway_certs::read_bundle(Path::new(&storage.describe(&key)), &content) {
            Ok(certificate) if self.hosts.iter().all(|host| certificate.covers(host)) => {
                self.current = Some(Arc::new(certificate));
                Ok(None)
            }
            Ok(_) => Ok(Some(Damage { key, why: "it is not for these hosts".into() })),
            Err(error) => Ok(Some(Damage { key, why: error.to_string() })),
        }
    }

    pub(super) fn load_record(
        &self,
        storage: &dyn Storage,
    ) -> Result<Result<Record, Damage>, StorageError> {
        let key = self.record_key();
        let Some(content) = storage.load(&key)? else { return Ok(Ok(Record::default())) };
        let read = serde_json::from_slice(&content);
        Ok(read.map_err(|error| Damage { key, why: error.to_string() }))
    }
}

pub(super) fn lifetime(certificate: &Certificate) -> Lifetime {
    Lifetime {
        not_before: Moment::from(certificate.not_before()),
        not_after: Moment::from(certificate.not_after()),
    }
}
