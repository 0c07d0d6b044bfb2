//! TLS towards `https://` upstreams: always verified.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Why no verified connection to an upstream could ever be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The `ca` file cannot be read or holds no certificate.
    #[error("cannot read certificates from {}: {source}; `ca` names a PEM file of root certificates", .path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// The `ca` file holds a certificate that is none.
    #[error("{} holds a certificate that cannot be a root", .path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },
    /// The system has no roots.
    #[error(
        "this system has no root certificates to verify https upstreams with; install ca-certificates, or set `ca` on the upstream"
    )]
    NoSystemRoots,
    /// rustls refused the combination of versions and suites: a mistake in this file.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// Whom upstreams with one `ca` are believed by.
pub(crate) struct Trust {
    /// What stood in the file; `None` for the system's roots.
    pem: Option<Vec<u8>>,
    pub(crate) config: Arc<ClientConfig>,
}

impl Trust {
    /// Reads the roots in `ca`, or else the system's. Where they are those of `before`, that is what
    /// comes of it, so that connections which were made by it can be used on.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn read(ca: Option<&Path>, before: Option<&Self>) -> Result<Self, TlsError> {
        let pem = ca.map(|path| read(path).map(|pem| (path, pem))).transpose()?;
        let text = pem.as_ref().map(|(_, pem)| pem);
        let config = match before.filter(|before| before.pem.as_ref() == text) {
            Some(before) => before.config.clone(),
            None => client_config(match &pem {
                Some((path, pem)) => roots_of(path, pem)?,
                None => system_roots()?,
            })?,
        };
        Ok(Self { pem: pem.map(|(_, pem)| pem), config })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Ca {
        path: path.to_owned(),
        source: rustls_pki_types::pem::Error::Io(source),
    };
    std::fs::read(path).map_err(unreadable)
}

fn client_config(roots: RootCertStore) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots_of(path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let unreadable = |source| TlsError::Ca { path: path.to_owned(), source };
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(unreadable)?;
        roots
            .add(certificate)
            .map_err(|source| TlsError::Root { path: path.to_owned(), source })?;
    }
    if roots.is_empty() {
        return Err(unreadable(rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // Systems carry roots that rustls cannot use; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsError::NoSystemRoots) } else { Ok(roots) }
}
