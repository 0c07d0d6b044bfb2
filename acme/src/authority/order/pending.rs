//! An order that is under way, kept so that a process that dies in the middle of it is no reason to
//! order again: its key is with it, without which its certificate would be worth nothing.

use serde::{Deserialize, Serialize};

use super::super::account::local;
use crate::failure::Failure;
use crate::storage::{Storage, store_json};

#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    /// Where the CA has it.
    pub(super) url: String,
    /// The CA's directory.
    pub(super) directory: String,
    /// The certificate's key.
    pub(super) key_pem: String,
}

/// Without the key.
impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Pending {
    /// What is kept for a certificate, where it is an order at this CA.
    pub(super) fn load(
        storage: &dyn Storage,
        id: &str,
        directory: &str,
    ) -> Result<Option<Self>, Failure> {
        let Some(content) = storage.load(&key(id)).map_err(local)? else { return Ok(None) };
        // One that cannot be read is as good as none: the CA lets it expire.
        let pending = serde_json::from_slice::<Self>(&content).ok();
        Ok(pending.filter(|pending| pending.directory == directory))
    }

    pub(super) fn store(&self, storage: &dyn Storage, id: &str) -> Result<(), Failure> {
        store_json(storage, &key(id), self).map_err(local)
    }

    pub(super) fn remove(storage: &dyn Storage, id: &str) -> Result<(), Failure> {
        storage.remove(&key(id)).map_err(local)
    }
}

fn key(id: &str) -> String {
    format!("{id}.order.json")
}
