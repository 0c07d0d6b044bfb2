//! Where accounts, certificates and the ledger are kept.

mod disk;
mod error;

use serde::Serialize;

pub use disk::Disk;
pub use error::StorageError;

/// A place for small files that several processes may share.
///
/// This is the whole contract; whoever keeps it can take the place of [`Disk`], for a second replica
/// say:
///
/// - A key is made of ASCII letters, digits, `-`, `_` and `.`, begins with a letter or digit, and has
///   at most 200 of them. Keys that differ only in case are not used.
/// - [`store`](Self::store) is atomic and durable: after it returns `Ok`, every reader on every
///   replica sees the new content, also after a power cut; after anything else, an error or the
///   process's death, every reader sees either the old content or the new, whole.
/// - [`load`](Self::load) sees what was stored last. There is no cache.
/// - Nobody but the gateway's user can read what is stored: there are private keys in it.
/// - A lock is held by one [`Lease`] at a time among all processes of all replicas. When its holder
///   dies, it becomes free by itself within a minute. A holder that loses it without dying (its
///   network is gone, say) must not be able to `store` any more.
/// - Methods may block for as long as a disk does. They are called from one thread that serves no
///   request.
pub trait Storage: std::fmt::Debug + Send + Sync {
    /// The content under a key; `None` where there is none.
    ///
    /// # Errors
    /// [`StorageError`], which says what to do.
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// Puts content under a key, in place of what is there.
    ///
    /// # Errors
    /// [`StorageError`]; what was there is still there.
    fn store(&self, key: &str, content: &[u8]) -> Result<(), StorageError>;

    /// Removes what is under a key. That there is nothing is fine.
    ///
    /// # Errors
    /// [`StorageError`].
    fn remove(&self, key: &str) -> Result<(), StorageError>;

    /// Moves what is under a key out of the way, because it is of no use, without losing it. Says
    /// where it is now.
    ///
    /// # Errors
    /// [`StorageError`].
    fn set_aside(&self, key: &str) -> Result<String, StorageError>;

    /// Every key there is, in order.
    ///
    /// # Errors
    /// [`StorageError`].
    fn keys(&self) -> Result<Vec<String>, StorageError>;

    /// The lock of this name; `None` while somebody else holds it.
    ///
    /// # Errors
    /// [`StorageError`].
    fn try_lock(&self, name: &str) -> Result<Option<Box<dyn Lease>>, StorageError>;

    /// What to call a key's content in a message: for a file, its path.
    fn describe(&self, key: &str) -> String;
}

/// A lock that is held until this is dropped.
pub trait Lease: std::fmt::Debug + Send {}

/// Puts a value under a key, as JSON that people can read.
pub(crate) fn store_json(
    storage: &dyn Storage,
    key: &str,
    value: &impl Serialize,
) -> Result<(), StorageError> {
    let encoded = serde_json::to_vec_pretty(value);
    let text =
        encoded.map_err(|source| StorageError::Encode { name: storage.describe(key), source })?;
    storage.store(key, &text)
}
