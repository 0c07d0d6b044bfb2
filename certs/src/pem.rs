//! PEM files to DER, with an answer to "what is this instead?".

use std::path::Path;

use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{CertError, PemFile};

/// The certificates of a file, in its order; never empty.
pub(crate) fn certificates(
    path: &Path,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, CertError> {
    let file = PemFile::Certificate;
    let mut chain = Vec::new();
    for section in sections(text) {
        if let (SectionKind::Certificate, der) = section.map_err(|e| damaged(file, path, e))? {
            chain.push(CertificateDer::from(der));
        }
    }
    match chain.is_empty() {
        true => Err(nothing_found(file, path, text)),
        false => Ok(chain),
    }
}

/// The first private key of a file.
pub(crate) fn private_key(path: &Path, text: &[u8]) -> Result<PrivateKeyDer<'static>, CertError> {
    let file = PemFile::PrivateKey;
    // Before the blocks are decoded: the old OpenSSL form is a `RSA PRIVATE KEY` block whose header
    // says "encrypted", and to the decoder that is merely bad base64.
    if is_encrypted(text) {
        return Err(CertError::EncryptedKey { path: path.into() });
    }
    for section in sections(text) {
        let (kind, der) = section.map_err(|e| damaged(file, path, e))?;
        if let Some(key) = PrivateKeyDer::from_pem(kind, der) {
            return Ok(key);
        }
    }
    Err(nothing_found(file, path, text))
}

fn sections(
    text: &[u8],
) -> impl Iterator<Item = Result<(SectionKind, Vec<u8>), rustls_pki_types::pem::Error>> {
    PemObject::pem_slice_iter(text)
}

fn damaged(file: PemFile, path: &Path, error: rustls_pki_types::pem::Error) -> CertError {
    CertError::BadPem { file, path: path.into(), source: error.into() }
}

fn is_encrypted(text: &[u8]) -> bool {
    lines(text).any(|line| {
        line.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || line.starts_with(b"Proc-Type: 4,ENCRYPTED")
    })
}

fn nothing_found(file: PemFile, path: &Path, text: &[u8]) -> CertError {
    match first_label(text) {
        Some(found) => CertError::WrongBlock { file, path: path.into(), found },
        // 0x30 is the tag of the SEQUENCE that every certificate and key in DER begins with.
        None => CertError::NotPem { file, path: path.into(), der: text.first() == Some(&0x30) },
    }
}

fn first_label(text: &[u8]) -> Option<String> {
    lines(text).find_map(|line| {
        let label = line.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")?;
        Some(String::from_utf8_lossy(label).into_owned())
    })
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}
