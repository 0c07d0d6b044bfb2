//! TLS towards `https://` upstreams: always verified.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::digest::{self, SHA256_OUTPUT_LEN};
use gateway_certs::CertError;
use gateway_config::model::CertificateFiles;
use rustls::sign::SingleCertAndKey;
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
    /// The certificate that is to be shown to servers is missing or broken.
    #[error(transparent)]
    ClientCert(#[from] CertError),
    /// The system has no roots.
    #[error(
        "this system has no root certificates to verify https upstreams with; install ca-certificates, or set `ca` on the upstream"
    )]
    NoSystemRoots,
    /// rustls refused the combination of versions and suites: a mistake in this file.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// Whom upstreams with one `ca` believe, and what they are shown.
pub(crate) struct Trust {
    /// What stood in the files, by its hash; of the system's roots nothing.
    files: [u8; SHA256_OUTPUT_LEN],
    pub(crate) config: Arc<ClientConfig>,
}

impl Trust {
    /// Reads the roots in `ca`, or else the system's, and the certificate that servers are `shown`.
    /// Where the files are those of `before`, what came of them stays, so that connections which were
    /// made by it can be used on.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn read(
        ca: Option<&Path>,
        shown: Option<&CertificateFiles>,
        before: Option<&Self>,
    ) -> Result<Self, TlsError> {
        let pem = ca.map(|path| read(path).map(|pem| (path, pem))).transpose()?;
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(pem.as_ref().map_or(b"", |(_, pem)| pem));
        for file in shown.iter().flat_map(|shown| [&shown.cert, &shown.key]) {
            // Where one cannot be read, whoever loads it says so.
            hash.update(&std::fs::read(file).unwrap_or_default());
        }
        let mut files = [0; SHA256_OUTPUT_LEN];
        files.copy_from_slice(hash.finish().as_ref());
        let config = match before.filter(|before| before.files == files) {
            Some(before) => before.config.clone(),
            None => client_config(
                match &pem {
                    Some((path, pem)) => roots_of(path, pem)?,
                    None => system_roots()?,
                },
                shown,
            )?,
        };
        Ok(Self { files, config })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Ca {
        path: path.to_owned(),
        source: rustls_pki_types::pem::Error::Io(source),
    };
    std::fs::read(path).map_err(unreadable)
}

fn client_config(
    roots: RootCertStore,
    shown: Option<&CertificateFiles>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    Ok(Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let loaded = gateway_certs::load_client_files(files, SystemTime::now())?;
            let key = loaded.certificate.certified_key().as_ref().clone();
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
    }))
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
