//! Whom to trust.

use std::path::Path;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{Error as PemError, PemObject};

use super::HttpsError;

/// TLS with the system's roots and those of the file, and whether that is no root at all.
pub(super) fn client_config(extra: Option<&Path>) -> Result<(ClientConfig, bool), HttpsError> {
    let mut roots = RootCertStore::empty();
    // Systems carry roots that rustls cannot use; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = extra {
        add(&mut roots, path)?;
    }
    let none = roots.is_empty();
    let config = ClientConfig::builder_with_provider(gateway_certs::provider())
        .with_safe_default_protocol_versions()
        .map_err(HttpsError::Setup)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((config, none))
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), HttpsError> {
    let unreadable = |source| HttpsError::Roots { path: path.to_owned(), source };
    let mut found = false;
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        found = true;
        let certificate = certificate.map_err(unreadable)?;
        roots
            .add(certificate)
            .map_err(|source| HttpsError::Root { path: path.to_owned(), source })?;
    }
    if found { Ok(()) } else { Err(unreadable(PemError::NoItemsFound)) }
}
