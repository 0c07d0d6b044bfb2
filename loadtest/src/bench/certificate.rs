//! One certificate for all servers: ECDSA P-256, as sites have it today.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The name that the servers are asked for. It is resolved by nobody: the load goes to an address.
pub(crate) const NAME: &str = "shop.localhost";

/// A self-signed certificate in files. HAProxy wants chain and key in one.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) both: PathBuf,
}

impl Certificate {
    /// Makes one for `names` in `folder`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn make(folder: &Path, names: &[&str]) -> std::io::Result<Self> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).map_err(std::io::Error::other)?;
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let files = Self {
            chain: folder.join("cert.pem"),
            key: folder.join("key.pem"),
            both: folder.join("cert-and-key.pem"),
        };
        std::fs::write(&files.chain, &chain)?;
        write_secret(&files.key, &key)?;
        write_secret(&files.both, &format!("{chain}{key}"))?;
        Ok(files)
    }
}

/// Readable for its owner alone, which is what servers ask of a key.
fn write_secret(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?
        .write_all(text.as_bytes())
}
