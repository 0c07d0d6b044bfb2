//! Certificates of clients: who issues them, and which have been revoked.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_config::model::ClientCerts;
use rustls::RootCertStore;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, pem};
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::provider;

/// Why certificates of clients cannot be verified.
#[derive(Debug, Error)]
pub enum ClientCertsError {
    /// A file cannot be read, or holds nothing of what it is to hold.
    #[error("`client_certs`: {what} `{}` cannot be read ({source}). Name a PEM file that the gateway's user may read.", path.display())]
    File {
        /// What was to be in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: pem::Error,
    },
    /// A certificate that cannot be a root.
    #[error("`client_certs`: `{}` holds a certificate that cannot be a root ({source}). Name a PEM file of the CA's own certificates.", path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// A list that is none, or roots of no use.
    #[error("`client_certs`: {0}. Have the CA issue its list of revoked certificates anew.")]
    Verifier(#[source] VerifierBuilderError),
}

/// What certificates of clients are held against.
pub struct ClientVerification {
    /// What verifies them.
    pub verifier: Arc<dyn ClientCertVerifier>,
    /// Another number where the CAs or the lists are others: then whoever was let in before is to
    /// show the certificate again.
    pub version: u64,
}

/// What verifies the certificates of a site's clients. Whoever is on a list is refused, and so is
/// everybody whose CA has none where there are lists, or one whose time is over.
///
/// # Errors
/// [`ClientCertsError`].
pub fn client_verifier(clients: &ClientCerts) -> Result<ClientVerification, ClientCertsError> {
    let (mut roots, mut version) = (RootCertStore::empty(), DefaultHasher::new());
    for root in read::<CertificateDer<'static>>("the CA's certificate", &clients.ca)? {
        let path = || clients.ca.clone();
        root.hash(&mut version);
        roots.add(root).map_err(|source| ClientCertsError::Root { path: path(), source })?;
    }
    let mut lists = Vec::new();
    for path in &clients.crls {
        let what = "the list of revoked certificates";
        lists.extend(read::<CertificateRevocationListDer<'static>>(what, path)?);
    }
    lists.iter().for_each(|list| list.as_ref().hash(&mut version));
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let builder = builder.with_crls(lists).enforce_revocation_expiration();
    let builder = if clients.required { builder } else { builder.allow_unauthenticated() };
    let verifier = builder.build().map_err(ClientCertsError::Verifier)?;
    Ok(ClientVerification { verifier, version: version.finish() })
}

fn read<T: PemObject>(what: &'static str, path: &Path) -> Result<Vec<T>, ClientCertsError> {
    let failed = |source| ClientCertsError::File { what, path: path.to_owned(), source };
    let items = T::pem_file_iter(path).map_err(failed)?.collect::<Result<Vec<T>, _>>();
    let items = items.map_err(failed)?;
    if items.is_empty() { Err(failed(pem::Error::NoItemsFound)) } else { Ok(items) }
}

/// Whom a certificate is made out to, as a distinguished name: `CN=alice, O=Example`. `None` where it
/// says nothing, or what no header could hold.
#[must_use]
pub fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let subject = parsed.subject().to_string();
    let is_plain = subject.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    (!subject.is_empty() && is_plain).then_some(subject)
}
