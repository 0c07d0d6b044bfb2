//! Opening the local CA: what is in its folder, what that means, and only then what is done.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{Issuer, KeyPair};

use super::LocalCa;
use super::error::{Note, Remade, StorageError};
use super::root::Root;
use crate::folder::{Folder, Kept};

const KEY: &str = "root.key";
const ROOT: &str = "root.crt";

/// What the folder holds.
enum Found {
    /// Nothing: the first start.
    Nothing,
    /// A key and its root.
    Whole(KeyPair, Root),
    /// A key that is to be kept, and no root that could be used.
    KeyOnly(KeyPair, Remade),
    /// Neither can be used.
    Unusable(Remade),
}

pub(super) fn open(storage: &Path, now: SystemTime) -> Result<LocalCa, StorageError> {
    let storage = std::path::absolute(storage)
        .map_err(|source| StorageError::MakeFolder { path: storage.into(), source })?;
    let folder = Folder::open(&storage, storage.join("local-ca"))?;
    let _alone = folder.lock("lock")?;
    let mut notes = Vec::new();
    let key = folder.read(KEY)?;
    hide_key(&folder, key.as_ref(), &mut notes)?;
    let (key, root) = match look(key, folder.read(ROOT)?, now) {
        Found::Whole(key, root) => (key, root),
        Found::Nothing => make_both(&folder, now)?,
        Found::KeyOnly(key, reason) => {
            let aside = move_aside(&folder, &[ROOT], reason, now)?;
            notes.push(Note::Remade { reason, aside });
            let root = make_root(&folder, &key, now)?;
            (key, root)
        }
        Found::Unusable(reason) => {
            let aside = move_aside(&folder, &[KEY, ROOT], reason, now)?;
            notes.push(Note::Remade { reason, aside });
            make_both(&folder, now)?
        }
    };
    if now < root.not_before {
        notes.push(Note::NotYetValid { not_before: root.not_before, now });
    }
    assemble(&folder, key, root, notes)
}

fn look(key: Option<Kept>, root: Option<Kept>, now: SystemTime) -> Found {
    let Some(key) = key else {
        return match root {
            None => Found::Nothing,
            Some(_) => Found::Unusable(Remade::KeyMissing),
        };
    };
    let Some(key) = text(&key).and_then(|pem| KeyPair::from_pem(pem).ok()) else {
        return Found::Unusable(Remade::KeyDamaged);
    };
    let Some(root) = root else {
        return Found::KeyOnly(key, Remade::RootMissing);
    };
    match text(&root).and_then(|pem| Root::read(pem, &key)) {
        None => Found::KeyOnly(key, Remade::RootDamaged),
        Some(root) if now > root.not_after => Found::Unusable(Remade::RootExpired),
        Some(root) => Found::Whole(key, root),
    }
}

fn text(kept: &Kept) -> Option<&str> {
    std::str::from_utf8(&kept.content).ok()
}

fn hide_key(
    folder: &Folder,
    key: Option<&Kept>,
    notes: &mut Vec<Note>,
) -> Result<(), StorageError> {
    let Some(key) = key else { return Ok(()) };
    if key.mode & 0o077 != 0 {
        folder.set_mode(KEY, 0o600)?;
        notes.push(Note::KeyWasExposed { path: folder.file(KEY), mode: key.mode });
    }
    Ok(())
}

fn move_aside(
    folder: &Folder,
    names: &[&str],
    reason: Remade,
    now: SystemTime,
) -> Result<Vec<std::path::PathBuf>, StorageError> {
    let word = match reason {
        Remade::RootExpired => "expired",
        _ => "corrupt",
    };
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let suffix = format!("{word}-{seconds}");
    let mut aside = Vec::new();
    for name in names {
        aside.extend(folder.move_aside(name, &suffix)?);
    }
    Ok(aside)
}

/// The key goes first: a key without a root is finished at the next start, a root without its key
/// would be worth nothing.
fn make_both(folder: &Folder, now: SystemTime) -> Result<(KeyPair, Root), StorageError> {
    let key = KeyPair::generate().map_err(|source| cannot_make(folder, source))?;
    folder.write(KEY, key.serialize_pem().as_bytes(), 0o600)?;
    let root = make_root(folder, &key, now)?;
    Ok((key, root))
}

fn make_root(folder: &Folder, key: &KeyPair, now: SystemTime) -> Result<Root, StorageError> {
    let root = Root::make(key, now).map_err(|source| cannot_make(folder, source))?;
    folder.write(ROOT, root.pem.as_bytes(), 0o644)?;
    Ok(root)
}

fn assemble(
    folder: &Folder,
    key: KeyPair,
    root: Root,
    notes: Vec<Note>,
) -> Result<LocalCa, StorageError> {
    let issuer =
        Issuer::from_ca_cert_der(&root.der, key).map_err(|source| cannot_make(folder, source))?;
    Ok(LocalCa {
        root_path: folder.file(ROOT),
        root_pem: root.pem,
        root_not_after: root.not_after,
        issuer,
        notes,
    })
}

fn cannot_make(
    folder: &Folder,
    source: impl std::error::Error + Send + Sync + 'static,
) -> StorageError {
    StorageError::Make { path: folder.path().into(), source: Box::new(source) }
}
