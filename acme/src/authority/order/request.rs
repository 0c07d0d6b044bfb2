//! Keys, and the requests that they sign.

use gateway_config::model::HostPattern;
use instant_acme::Error;
use rcgen::{
    CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    RsaKeySize,
};

use crate::failure::{Blame, Failure};
use crate::names::{KeyType, identifier};

/// A new private key as PEM. Finding two primes takes long enough to be done beside.
pub(super) async fn new_key(kind: KeyType) -> Result<String, Failure> {
    let make = move || match kind {
        KeyType::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyType::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    };
    let failed = |error: String| Failure {
        blame: Blame::Local,
        what: format!("No key can be made ({error})."),
        advice:
            "This is about the gateway or the machine, not about the site: report it if it stays."
                .into(),
        retry_after: None,
    };
    let made =
        tokio::task::spawn_blocking(make).await.map_err(|error| failed(error.to_string()))?;
    made.map(|key| key.serialize_pem()).map_err(|error| failed(error.to_string()))
}

/// The certificate signing request (RFC 8555 section 7.4) for the hosts, in DER. It names them as
/// alternative names only: common names are a thing of the past, and no longer than 64 characters.
pub(super) fn signing_request(hosts: &[HostPattern], key_pem: &str) -> Result<Vec<u8>, Error> {
    let failed = |error: rcgen::Error| Error::Other(Box::new(error));
    let names = hosts.iter().filter_map(identifier).map(|name| name.authorized(false).to_string());
    let mut params = CertificateParams::new(names.collect::<Vec<_>>()).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    let key = KeyPair::from_pem(key_pem).map_err(failed)?;
    Ok(params.serialize_request(&key).map_err(failed)?.der().to_vec())
}
