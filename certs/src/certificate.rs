//! A certificate with its key, ready for a handshake, and what it says of itself.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_config::model::HostPattern;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::GeneralName;
use x509_parser::nom;
use x509_parser::prelude::FromDer;

use crate::subject_name::SubjectName;

/// The kind of a certificate's key, the most wanted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// ECDSA over a NIST curve: small, quick to sign with, known to every client of today.
    Ecdsa,
    /// Ed25519: quicker still, but browsers do not know it.
    Ed25519,
    /// RSA: slow to sign with, known to the oldest clients.
    Rsa,
    /// What few clients know yet (ML-DSA).
    Other,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ecdsa => "ECDSA",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
            Self::Other => "other",
        })
    }
}

/// A certificate chain with its private key, and what its leaf says.
pub struct Certificate {
    certified_key: Arc<CertifiedKey>,
    names: Vec<SubjectName>,
    not_before: SystemTime,
    not_after: SystemTime,
    issuer: String,
    serial: String,
    key_kind: KeyKind,
    schemes: Vec<SignatureScheme>,
}

impl Certificate {
    /// Puts a chain (leaf first, never empty) and its key together. That the two belong together is
    /// for the caller to know.
    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: Arc<dyn SigningKey>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let leaf = chain.first().ok_or(rustls::Error::NoCertificatesPresented)?;
        let leaf = parse(leaf)?;
        let validity = leaf.validity();
        Ok(Self {
            names: subject_names(&leaf)?,
            not_before: validity.not_before.to_datetime().into(),
            not_after: validity.not_after.to_datetime().into(),
            issuer: leaf.issuer().to_string(),
            serial: leaf.raw_serial_as_string(),
            key_kind: kind_of(&*key),
            schemes: schemes_of(&*key),
            certified_key: Arc::new(CertifiedKey::new(chain, key)),
        })
    }

    /// What the TLS handshake needs: the chain and the signing key.
    #[must_use]
    pub fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.certified_key
    }

    /// The DNS names and IP addresses that it is made out to, in its own order.
    #[must_use]
    pub fn names(&self) -> &[SubjectName] {
        &self.names
    }

    /// Its first valid second.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// Its last valid second.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// When to have the next one: two thirds of its life are over.
    #[must_use]
    pub fn renew_at(&self) -> SystemTime {
        let life = self.not_after.duration_since(self.not_before).unwrap_or_default();
        self.not_before + life * 2 / 3
    }

    /// Who issued it, as `CN=…, O=…`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its serial number: bytes in hexadecimal with colons between.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The kind of its key.
    #[must_use]
    pub fn key_kind(&self) -> KeyKind {
        self.key_kind
    }

    /// Whether a client that asks for a host of this pattern accepts the certificate. A wildcard
    /// pattern needs the same wildcard name. `*` asks for no name in particular: always covered.
    #[must_use]
    pub fn covers(&self, pattern: &HostPattern) -> bool {
        match SubjectName::of_pattern(pattern) {
            Some(wanted) => self.names.iter().any(|name| name.covers(&wanted)),
            None => true,
        }
    }

    /// Whether its key can sign in one of the ways that a client understands.
    pub(crate) fn signs_with(&self, offered: &[SignatureScheme]) -> bool {
        self.schemes.iter().any(|scheme| offered.contains(scheme))
    }
}

/// What a certificate says of itself that somebody else shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafFacts {
    /// The DNS names and IP addresses that it is made out to, in its own order.
    pub names: Vec<SubjectName>,
    /// Who issued it, as `CN=…, O=…`.
    pub issuer: String,
}

impl LeafFacts {
    /// Reads them; `None` where it is no certificate. Nothing of it is proved.
    #[must_use]
    pub fn read(leaf: &CertificateDer<'_>) -> Option<Self> {
        let leaf = parse(leaf).ok()?;
        Some(Self { names: subject_names(&leaf).ok()?, issuer: leaf.issuer().to_string() })
    }
}

/// Without the key, and without the chain's bytes, which nobody can read.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("names", &self.names)
            .field("issuer", &self.issuer)
            .field("serial", &self.serial)
            .field("key_kind", &self.key_kind)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// Reads one certificate.
pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, X509Error> {
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Ok(certificate),
        Err(nom::Err::Error(error) | nom::Err::Failure(error)) => Err(error),
        Err(nom::Err::Incomplete(_)) => Err(X509Error::InvalidCertificate),
    }
}

fn subject_names(leaf: &X509Certificate<'_>) -> Result<Vec<SubjectName>, X509Error> {
    let Some(extension) = leaf.subject_alternative_name()? else {
        return Ok(Vec::new());
    };
    let names = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(SubjectName::from_dns(name)),
        GeneralName::IPAddress(octets) => SubjectName::from_octets(octets),
        // E-mail addresses, URIs and the like name no host.
        _ => None,
    });
    Ok(names.collect())
}

fn kind_of(key: &dyn SigningKey) -> KeyKind {
    match key.algorithm() {
        SignatureAlgorithm::ECDSA => KeyKind::Ecdsa,
        SignatureAlgorithm::ED25519 => KeyKind::Ed25519,
        SignatureAlgorithm::RSA => KeyKind::Rsa,
        _ => KeyKind::Other,
    }
}

/// The ways in which this key signs. Asked once, so that choosing a certificate during a handshake
/// compares numbers and allocates nothing.
fn schemes_of(key: &dyn SigningKey) -> Vec<SignatureScheme> {
    use SignatureScheme as Scheme;
    const KNOWN: [SignatureScheme; 13] = [
        Scheme::ECDSA_NISTP256_SHA256,
        Scheme::ECDSA_NISTP384_SHA384,
        Scheme::ECDSA_NISTP521_SHA512,
        Scheme::ED25519,
        Scheme::RSA_PSS_SHA256,
        Scheme::RSA_PSS_SHA384,
        Scheme::RSA_PSS_SHA512,
        Scheme::RSA_PKCS1_SHA256,
        Scheme::RSA_PKCS1_SHA384,
        Scheme::RSA_PKCS1_SHA512,
        Scheme::ML_DSA_44,
        Scheme::ML_DSA_65,
        Scheme::ML_DSA_87,
    ];
    KNOWN.into_iter().filter(|scheme| key.choose_scheme(&[*scheme]).is_some()).collect()
}
