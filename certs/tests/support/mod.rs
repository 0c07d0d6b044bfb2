//! What the tests share: a fixed time, certificates made for the occasion, sites.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod tls;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway_config::model::{CertificateFiles, HostPattern, Policy, Site, Tls};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// 2027-01-15T08:00:00Z: the time of every test.
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub(crate) fn pattern(text: &str) -> HostPattern {
    HostPattern::parse(text).unwrap()
}

pub(crate) fn patterns(texts: &[&str]) -> Vec<HostPattern> {
    texts.iter().map(|text| pattern(text)).collect()
}

/// A site without routes; the first host is its name.
pub(crate) fn site(hosts: &[&str], tls: Tls) -> Site {
    let mut hosts = patterns(hosts).into_iter();
    Site {
        name: hosts.next().unwrap(),
        aliases: hosts.collect(),
        tls,
        client_certs: None,
        routes: Vec::new(),
        policy: Policy::default(),
    }
}

pub(crate) fn ecdsa_key() -> KeyPair {
    KeyPair::generate().unwrap()
}

pub(crate) fn rsa_key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}

/// Parameters of a leaf that is valid now.
pub(crate) fn leaf_params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = OffsetDateTime::from(now() - DAY);
    params.not_after = OffsetDateTime::from(now() + 30 * DAY);
    params
}

/// An authority for the certificates of a test.
pub(crate) struct Authority {
    pub(crate) certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn root(name: &str) -> Self {
        let (params, key) = (Self::params(name), ecdsa_key());
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let (params, key) = (Self::params(name), ecdsa_key());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = leaf_params(&[]);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    pub(crate) fn issue(&self, params: &CertificateParams, key: &KeyPair) -> String {
        params.signed_by(key, &self.issuer).unwrap().pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// An ECDSA certificate for these names, as files.
    pub(crate) fn files(&self, dir: &Path, stem: &str, names: &[&str]) -> CertificateFiles {
        self.files_with(dir, stem, names, &ecdsa_key())
    }

    pub(crate) fn files_with(
        &self,
        dir: &Path,
        stem: &str,
        names: &[&str],
        key: &KeyPair,
    ) -> CertificateFiles {
        let chain = self.issue(&leaf_params(names), key);
        write_pair(dir, stem, &chain, &key.serialize_pem())
    }
}

/// Writes `<stem>.crt` and `<stem>.key`, the key with mode 0600.
pub(crate) fn write_pair(dir: &Path, stem: &str, chain: &str, key: &str) -> CertificateFiles {
    let files = CertificateFiles {
        cert: dir.join(format!("{stem}.crt")),
        key: dir.join(format!("{stem}.key")),
    };
    fs::write(&files.cert, chain).unwrap();
    fs::write(&files.key, key).unwrap();
    set_mode(&files.key, 0o600);
    files
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
