//! What tells a keeper, also one that runs in another process, that a certificate was revoked.

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use crate::moment::Moment;
use crate::storage::{Storage, StorageError};

/// Stands beside a certificate until another has taken its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Which certificate: a mark says nothing about its successor.
    pub(super) serial: String,
    /// When it was revoked.
    pub(super) at: Moment,
}

impl Mark {
    /// The mark under a key. One that cannot be read says nothing.
    pub(super) fn load(storage: &dyn Storage, key: &str) -> Result<Option<Self>, StorageError> {
        let content = storage.load(key)?;
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    /// Whether it is about the certificate that is kept.
    pub(super) fn is_of(&self, entry: &Entry) -> bool {
        entry.current.as_ref().is_some_and(|current| current.serial() == self.serial)
    }
}
