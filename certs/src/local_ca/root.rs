//! The local CA's root certificate: made, and read back.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, Error, IsCa, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use time::OffsetDateTime;

use super::BACKDATING;
use crate::certificate::parse;

/// Ten years: trusting a root is work for every person and machine, and nobody but this machine
/// depends on its key.
const ROOT_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A root certificate as it is kept, and what is needed from it.
pub(super) struct Root {
    pub(super) pem: String,
    pub(super) der: CertificateDer<'static>,
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
}

impl Root {
    /// Makes the root of a key. The name carries the key's identifier, so that two machines' roots
    /// can be told apart in a list of trusted authorities.
    pub(super) fn make(key: &KeyPair, now: SystemTime) -> Result<Self, MakeRootError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name(&params, key));
        params.not_before = OffsetDateTime::from(now - BACKDATING);
        params.not_after = OffsetDateTime::from(now - BACKDATING + ROOT_LIFE);
        params.serial_number = Some(random_serial()?);
        // Path length 0: what it signs can sign nothing further.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(key)?;
        let pem = certificate.pem();
        Self::read(&pem, key).ok_or(MakeRootError::Unreadable)
    }

    /// Reads a kept root; `None` where it is no certificate, no authority's, or not this key's.
    pub(super) fn read(pem: &str, key: &KeyPair) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let certificate = parse(&der).ok()?;
        let of_this_key = certificate.public_key().raw == key.subject_public_key_info();
        if !of_this_key || !certificate.is_ca() {
            return None;
        }
        let validity = certificate.validity();
        let (not_before, not_after) =
            (validity.not_before.to_datetime().into(), validity.not_after.to_datetime().into());
        Some(Self { pem: pem.to_owned(), der, not_before, not_after })
    }
}

/// Why no root could be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeRootError {
    #[error(transparent)]
    Make(#[from] Error),
    #[error(transparent)]
    Random(#[from] rustls::Error),
    #[error("the certificate that was just made cannot be read")]
    Unreadable,
}

fn common_name(params: &CertificateParams, key: &KeyPair) -> String {
    let id = params.key_identifier(key);
    let hex: String = id.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("Gateway local CA {hex}")
}

/// A serial number that no other certificate has. Left to itself the library derives it from the
/// key, and a root made again for the same key would then repeat it, which Firefox refuses.
pub(super) fn random_serial() -> Result<SerialNumber, rustls::Error> {
    let mut bytes = [0_u8; 16];
    rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut bytes)?;
    // A serial number is a positive integer (RFC 5280, section 4.1.2.2): the sign bit stays clear,
    // and the next bit is set so that it is never zero.
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}
