//! The certificate of pebble's own https, by an authority that is made for one test.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// The root certificate.
pub(crate) const CA: &str = "ca.pem";
/// Pebble's certificate.
pub(crate) const CERTIFICATE: &str = "https.crt";
/// Its key.
pub(crate) const KEY: &str = "https.key";

/// Makes the three files.
pub(crate) fn write(dir: &Path) {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let issuer = Issuer::new(root, root_key);

    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();

    std::fs::write(dir.join(CA), root_pem).unwrap();
    std::fs::write(dir.join(CERTIFICATE), certificate.pem()).unwrap();
    std::fs::write(dir.join(KEY), key.serialize_pem()).unwrap();
}
