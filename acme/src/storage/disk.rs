//! A folder on a local disk.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use gateway_certs::{Folder, Lock};

use super::{Lease, Storage, StorageError};

/// Everything is the gateway's user's own.
const MODE: u32 = 0o600;

/// Keys are files of a folder with mode 0700; each is written beside, flushed and renamed.
#[derive(Debug, Clone)]
pub struct Disk {
    folder: Folder,
}

impl Disk {
    /// The folder `acme` below the storage folder, made where there is none.
    ///
    /// # Errors
    /// [`StorageError::MakeFolder`].
    pub fn open(storage: &Path) -> Result<Self, StorageError> {
        Ok(Self { folder: Folder::open(storage, storage.join("acme"))? })
    }

    /// The same folder for whoever only looks: nothing is made, and nothing changed about it.
    #[must_use]
    pub fn existing(storage: &Path) -> Self {
        Self { folder: Folder::existing(storage.join("acme")) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Storage for Disk {
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.folder.read(key)?.map(|kept| kept.content))
    }

    fn store(&self, key: &str, content: &[u8]) -> Result<(), StorageError> {
        Ok(self.folder.write(key, content, MODE)?)
    }

    fn remove(&self, key: &str) -> Result<(), StorageError> {
        Ok(self.folder.remove(key)?)
    }

    fn set_aside(&self, key: &str) -> Result<String, StorageError> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let aside = self.folder.move_aside(key, &format!("corrupt-{seconds}"))?;
        Ok(aside.unwrap_or_else(|| self.folder.file(key)).display().to_string())
    }

    fn keys(&self) -> Result<Vec<String>, StorageError> {
        Ok(self.folder.names()?)
    }

    fn try_lock(&self, name: &str) -> Result<Option<Box<dyn Lease>>, StorageError> {
        let lock = self.folder.try_lock(&format!("{name}.lock"))?;
        Ok(lock.map(|lock| Box::new(Held(lock)) as Box<dyn Lease>))
    }

    fn describe(&self, key: &str) -> String {
        self.folder.file(key).display().to_string()
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "what is held is let go when this is dropped")]
struct Held(Lock);

impl Lease for Held {}
