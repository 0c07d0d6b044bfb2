//! Certificates from files.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_config::model::CertificateFiles;
use rustls::Error as TlsError;
use rustls::InconsistentKeys;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::CertificateDer;

use crate::certificate::{Certificate, parse};
use crate::error::{CertError, PemFile, Warning};
use crate::pem;

/// A certificate that passed every check, and what is to be said of it all the same.
#[derive(Debug)]
pub struct Loaded {
    /// The certificate.
    pub certificate: Certificate,
    /// What is not right with its files.
    pub warnings: Vec<Warning>,
}

/// Reads a chain and its key and checks that they can be used at `now`: both files readable and of
/// the right kind, the key belongs to the first certificate, that one names hosts and is valid.
/// Whether it names the right hosts is [`Certificate::covers`].
///
/// # Errors
/// The first [`CertError`] that is found.
pub fn load_files(files: &CertificateFiles, now: SystemTime) -> Result<Loaded, CertError> {
    let loaded = load_client_files(files, now)?;
    check_names(files, &loaded.certificate)?;
    Ok(loaded)
}

/// The same for a certificate that is shown to servers, which may name nobody.
///
/// # Errors
/// As [`load_files`], but for the names.
pub fn load_client_files(files: &CertificateFiles, now: SystemTime) -> Result<Loaded, CertError> {
    let mut warnings = Vec::new();

    let (cert_text, _) = read(PemFile::Certificate, &files.cert)?;
    let chain = pem::certificates(&files.cert, &cert_text)?;

    let (key_text, mode) = read(PemFile::PrivateKey, &files.key)?;
    if mode & 0o004 != 0 {
        warnings.push(Warning::KeyReadableByOthers { path: files.key.clone(), mode });
    }
    let key = any_supported_type(&pem::private_key(&files.key, &key_text)?)
        .map_err(|source| CertError::BadKey { path: files.key.clone(), source })?;

    check_key(files, &chain, &key)?;
    if let Some(position) = first_out_of_order(files, &chain)? {
        warnings.push(Warning::ChainOutOfOrder { path: files.cert.clone(), position });
    }

    let certificate =
        Certificate::new(chain, key).map_err(|source| bad_certificate(files, 1, source))?;
    check_dates(files, &certificate, now)?;
    Ok(Loaded { certificate, warnings })
}

/// The same for a chain and its key in one text, the key first. `path` is what errors call it.
///
/// # Errors
/// As [`load_files`].
pub fn load_bundle(path: &Path, text: &[u8], now: SystemTime) -> Result<Certificate, CertError> {
    let certificate = read_bundle(path, text)?;
    let files = CertificateFiles { cert: path.into(), key: path.into() };
    check_names(&files, &certificate)?;
    check_dates(&files, &certificate, now)?;
    Ok(certificate)
}

/// The same, whether it is valid now or not.
///
/// # Errors
/// As [`load_files`], but for the dates.
pub fn read_bundle(path: &Path, text: &[u8]) -> Result<Certificate, CertError> {
    let files = CertificateFiles { cert: path.into(), key: path.into() };
    let chain = pem::certificates(path, text)?;
    let key = any_supported_type(&pem::private_key(path, text)?)
        .map_err(|source| CertError::BadKey { path: path.into(), source })?;
    check_key(&files, &chain, &key)?;
    Certificate::new(chain, key).map_err(|source| bad_certificate(&files, 1, source))
}

/// The file's content and its permission bits, both from one open file.
fn read(file: PemFile, path: &Path) -> Result<(Vec<u8>, u32), CertError> {
    let read = || -> std::io::Result<(Vec<u8>, u32)> {
        let mut handle = File::open(path)?;
        let mode = handle.metadata()?.permissions().mode() & 0o7777;
        let mut text = Vec::new();
        handle.read_to_end(&mut text)?;
        Ok((text, mode))
    };
    read().map_err(|source| match source.kind() {
        ErrorKind::NotFound => CertError::Missing { file, path: path.into() },
        _ => CertError::Unreadable { file, path: path.into(), source },
    })
}

fn bad_certificate(
    files: &CertificateFiles,
    position: usize,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> CertError {
    CertError::BadCertificate { path: files.cert.clone(), position, source: source.into() }
}

/// The key belongs to the first certificate; where it does not, says which it belongs to.
fn check_key(
    files: &CertificateFiles,
    chain: &[CertificateDer<'static>],
    key: &Arc<dyn SigningKey>,
) -> Result<(), CertError> {
    let matches = |certificate: &CertificateDer<'static>| {
        CertifiedKey::new(vec![certificate.clone()], Arc::clone(key)).keys_match()
    };
    for (index, certificate) in chain.iter().enumerate() {
        match matches(certificate) {
            // A key that cannot show its public half cannot be checked; aws-lc-rs has none such.
            Ok(()) | Err(TlsError::InconsistentKeys(InconsistentKeys::Unknown)) => {
                return match index {
                    0 => Ok(()),
                    _ => Err(CertError::LeafNotFirst {
                        path: files.cert.clone(),
                        position: index + 1,
                    }),
                };
            }
            Err(TlsError::InconsistentKeys(_)) => {}
            Err(source) => return Err(bad_certificate(files, index + 1, source)),
        }
    }
    Err(CertError::KeyMismatch { cert: files.cert.clone(), key: files.key.clone() })
}

/// The position (from 1) of the first certificate that the next one did not issue, by name.
fn first_out_of_order(
    files: &CertificateFiles,
    chain: &[CertificateDer<'static>],
) -> Result<Option<usize>, CertError> {
    let mut parsed = Vec::with_capacity(chain.len());
    for (index, der) in chain.iter().enumerate() {
        parsed.push(parse(der).map_err(|source| bad_certificate(files, index + 1, source))?);
    }
    let broken =
        parsed.windows(2).position(|pair| pair[0].issuer().as_raw() != pair[1].subject().as_raw());
    Ok(broken.map(|index| index + 1))
}

fn check_names(files: &CertificateFiles, certificate: &Certificate) -> Result<(), CertError> {
    if certificate.names().is_empty() {
        return Err(CertError::NoNames { path: files.cert.clone() });
    }
    Ok(())
}

fn check_dates(
    files: &CertificateFiles,
    certificate: &Certificate,
    now: SystemTime,
) -> Result<(), CertError> {
    let path = files.cert.clone();
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    if now < not_before {
        return Err(CertError::NotYetValid { path, not_before, now });
    }
    if now > not_after {
        return Err(CertError::Expired { path, not_after, now });
    }
    Ok(())
}
