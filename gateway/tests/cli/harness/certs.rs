//! Certificates in files.

use std::os::unix::fs::PermissionsExt;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use super::Folder;

/// A certificate for these names from the year 2000 until the first day of a year.
pub(crate) fn issue(names: &[&str], until: i32) -> (String, String) {
    issue_for(&KeyPair::generate().unwrap(), "a CA of the tests", names, until)
}

/// The same with an RSA key.
pub(crate) fn issue_rsa(names: &[&str], until: i32) -> (String, String) {
    let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    issue_for(&key, "a CA of the tests", names, until)
}

/// The same with a key and an issuer.
pub(crate) fn issue_for(
    key: &KeyPair,
    issuer: &str,
    names: &[&str],
    until: i32,
) -> (String, String) {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, issuer);
    (params.self_signed(key).unwrap().pem(), key.serialize_pem())
}

impl Folder {
    /// Writes `NAME.pem` and, for its owner alone, `NAME.key`.
    pub(crate) fn write_certificate(&self, name: &str, (cert, key): &(String, String)) {
        self.write(&format!("{name}.pem"), cert);
        let path = self.path().join(format!("{name}.key"));
        std::fs::write(&path, key).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}
