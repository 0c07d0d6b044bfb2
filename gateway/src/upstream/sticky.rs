//! The cookie that keeps a client with the server that answered it first. Its value is made from the
//! server's address with a key that stays in the storage folder: it says nothing about the server,
//! and means the same after a restart.

use std::path::{Path, PathBuf};

use aws_lc_rs::{hmac, rand};
use gateway_certs::{Folder, FolderError};

use crate::head::{Fields, Known};
use crate::headers::cookies;

/// Below the storage folder.
const FOLDER: &str = "sticky";
const FILE: &str = "key";

/// Bytes of the key, and of what a cookie says.
const KEY: usize = 32;
const TOKEN: usize = 16;

/// What a cookie says about one server, in hexadecimal.
pub(super) type Token = String;

/// Why there is no key to make cookies with.
#[derive(Debug, thiserror::Error)]
pub enum StickyError {
    /// The storage folder cannot be used.
    #[error("the key of `sticky` cookies cannot be kept at {}: {}; give the gateway's user the right to write there, or set `storage` in [server] to another folder", .0.path.display(), .0.source)]
    Storage(FolderError),
    /// What is kept is no key.
    #[error("{} holds no key of `sticky` cookies; remove it to have another made, which gives clients other servers once", .0.display())]
    Damaged(PathBuf),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// The key that values are made with.
pub(crate) struct StickyKey(hmac::Key);

impl StickyKey {
    /// The key that is kept below `storage`, made where there is none.
    ///
    /// # Errors
    /// [`StickyError`].
    pub(crate) fn open(storage: &Path) -> Result<Self, StickyError> {
        let folder = Folder::open(storage, storage.join(FOLDER)).map_err(StickyError::Storage)?;
        let _alone = folder.lock("lock").map_err(StickyError::Storage)?;
        let secret = match folder.read(FILE).map_err(StickyError::Storage)? {
            Some(kept) => kept.content,
            None => {
                let mut fresh = vec![0; KEY];
                rand::fill(&mut fresh).map_err(|_| StickyError::Random)?;
                folder.write(FILE, &fresh, 0o600).map_err(StickyError::Storage)?;
                fresh
            }
        };
        if secret.len() != KEY {
            return Err(StickyError::Damaged(folder.file(FILE)));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    /// What a client's cookie says that belongs to a server.
    pub(super) fn token(&self, server: &str) -> Token {
        let tag = hmac::sign(&self.0, server.as_bytes());
        tag.as_ref().iter().take(TOKEN).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The value of a request's cookie; a client may send it back quoted.
pub(super) fn cookie<'r>(fields: &'r Fields, name: &str) -> Option<&'r [u8]> {
    let value = cookies::values(fields, name).next()?;
    Some(value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value))
}

/// Gives the client the cookie of a server, for as long as its browser runs.
pub(super) fn set_cookie(name: &str, token: &Token, fields: &mut Fields) {
    // Public listeners that pass requests on speak TLS only, so `Secure` always holds.
    let value = format!("{name}={token}; Path=/; HttpOnly; Secure; SameSite=Lax");
    fields.add_known(Known::SetCookie, value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_names_servers_without_telling_which() {
        let dir = tempfile::tempdir().unwrap();
        let token = StickyKey::open(dir.path()).unwrap().token("10.0.0.1:80");
        assert_eq!(token.len(), 32);
        let again = StickyKey::open(dir.path()).unwrap();
        assert_eq!(again.token("10.0.0.1:80"), token);
        assert_ne!(again.token("10.0.0.2:80"), token);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(StickyKey::open(other.path()).unwrap().token("10.0.0.1:80"), token);
    }

    #[test]
    fn what_is_no_key_and_what_is_no_folder_are_said() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sticky")).unwrap();
        std::fs::write(dir.path().join("sticky/key"), "short").unwrap();
        let error = StickyKey::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("sticky/key holds no key"), "{error}");
        std::fs::write(dir.path().join("file"), "").unwrap();
        let error = StickyKey::open(&dir.path().join("file")).err().unwrap().to_string();
        assert!(error.contains("set `storage`"), "{error}");
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut fields = Fields::default();
        fields.add(b"cookie", b"aserver=1; server2=x;server=abc ; last=\"q\"");
        fields.add(b"cookie", b"more=yes");
        assert_eq!(cookie(&fields, "server"), Some(b"abc".as_slice()));
        assert_eq!(cookie(&fields, "last"), Some(b"q".as_slice()));
        assert_eq!(cookie(&fields, "more"), Some(b"yes".as_slice()));
        assert_eq!(cookie(&fields, "none"), None);
    }
}
