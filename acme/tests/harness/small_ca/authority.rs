//! The certificates: a root, an intermediate, and leaves, right or wrong.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate as Signed, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
    SerialNumber, date_time_ymd,
};

use super::jws;
use super::state::{Certificate, Identifier};
use super::trouble::Flaw;

/// The root and the intermediate that signs.
pub(super) struct Authority {
    root: String,
    intermediate: String,
    issuer: Issuer<'static, KeyPair>,
    key_id: Vec<u8>,
}

/// What is to be issued.
pub(super) struct Wanted<K> {
    pub(super) account: usize,
    pub(super) identifiers: Vec<Identifier>,
    pub(super) key: K,
    pub(super) now: SystemTime,
    pub(super) validity: Duration,
    pub(super) flaw: Option<Flaw>,
}

impl Authority {
    /// With new keys. It is valid from the year 2000 to the year 3000, so that any clock will do.
    pub(super) fn new() -> Self {
        let root_key = KeyPair::generate().unwrap();
        let root = params("Small Root");
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let intermediate = params("Small Intermediate");
        let pem = intermediate.signed_by(&key, &Issuer::new(root, root_key)).unwrap().pem();
        let key_id = intermediate.key_identifier(&key);
        let issuer = Issuer::new(intermediate, key);
        Self { root: root_pem, intermediate: pem, issuer, key_id }
    }

    pub(super) fn root_pem(&self) -> &str {
        &self.root
    }

    /// Issues, with the flaw that the test wants.
    pub(super) fn issue(&self, wanted: Wanted<impl PublicKeyData>) -> Certificate {
        let (not_before, not_after) = wanted.dates();
        let serial = serial();
        // RFC 9773, section 4.1: as in DER, thus with a zero before a first byte of 128 or more.
        let id =
            format!("{}.{}", jws::encode(&self.key_id), jws::encode([&[0], &serial[..]].concat()));
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = wanted.names();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = not_before.into();
        params.not_after = not_after.into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = match wanted.flaw {
            Some(Flaw::OtherKey) => self.sign(&params, &KeyPair::generate().unwrap()),
            Some(Flaw::OtherIssuer) => Self::new().sign(&params, &wanted.key),
            _ => self.sign(&params, &wanted.key),
        };
        let chain = match wanted.flaw {
            Some(Flaw::NoPem) => "certificate\n".to_owned(),
            Some(Flaw::NoChain) => leaf.pem(),
            _ => leaf.pem() + &self.intermediate,
        };
        Certificate {
            account: wanted.account,
            id,
            identifiers: wanted.identifiers,
            der: leaf.der().to_vec(),
            chain,
            public_key: wanted.key.der_bytes().to_vec(),
            not_before,
            not_after,
            replaced_by: None,
            revoked: None,
        }
    }

    fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Signed {
        params.signed_by(key, &self.issuer).unwrap()
    }
}

impl<K> Wanted<K> {
    /// notBefore and notAfter, whole seconds, both inclusive (RFC 5280, section 4.1.2.5).
    fn dates(&self) -> (SystemTime, SystemTime) {
        const HOUR: Duration = Duration::from_secs(3600);
        let since = self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
        let length = self.validity.saturating_sub(Duration::from_secs(1));
        match self.flaw {
            Some(Flaw::Expired) => (now - HOUR - length, now - HOUR),
            Some(Flaw::NotYetValid) => (now + 24 * HOUR, now + 24 * HOUR + length),
            _ => (now, now + length),
        }
    }

    fn names(&self) -> Vec<SanType> {
        if self.flaw == Some(Flaw::OtherName) {
            return vec![SanType::DnsName("elsewhere.test".try_into().unwrap())];
        }
        let names = self.identifiers.iter().map(|identifier| match identifier {
            Identifier::Dns(name) => SanType::DnsName(name.as_str().try_into().unwrap()),
            Identifier::Ip(address) => SanType::IpAddress(*address),
        });
        names.collect()
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(3000, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

/// A serial number whose first byte is 128 or more, which not every client encodes right.
fn serial() -> [u8; 16] {
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).unwrap();
    serial[0] |= 0x80;
    serial
}
