//! What things are called: in the storage, and at the CA.

use gateway_config::model::{Host, HostPattern};
use instant_acme::Identifier;
use serde::{Deserialize, Serialize};

/// The kind of a certificate's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// ECDSA over P-256.
    Ecdsa,
    /// RSA with 2048 bits.
    Rsa,
}

impl KeyType {
    /// As the configuration writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::Rsa => "rsa",
        }
    }
}

/// The identifier that a CA is asked to certify for a host; none for `*`, which is no name.
pub(crate) fn identifier(host: &HostPattern) -> Option<Identifier> {
    match host {
        HostPattern::Exact(host) => Some(match host.ip() {
            Some(ip) => Identifier::Ip(ip),
            None => Identifier::Dns(host.as_str().to_owned()),
        }),
        HostPattern::Wildcard(parent) => Some(Identifier::Dns(format!("*.{}", parent.as_str()))),
        HostPattern::Any => None,
    }
}

/// The host that a CA means by an identifier of an authorization (without the wildcard's star).
pub(crate) fn is_wildcard(hosts: &[HostPattern]) -> bool {
    hosts.iter().any(|host| matches!(host, HostPattern::Wildcard(_)))
}

/// Whether one of the hosts is an address.
pub(crate) fn has_address(hosts: &[HostPattern]) -> bool {
    let ip = |host: &HostPattern| match host {
        HostPattern::Exact(host) => Host::ip(host).is_some(),
        _ => false,
    };
    hosts.iter().any(ip)
}

/// What a certificate is called in the storage: the first of its hosts, so that a person finds it,
/// and a number of all of them, so that no two are called the same.
#[must_use]
pub fn certificate_id(hosts: &[HostPattern], key: KeyType) -> String {
    let mut all: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let first = all.first().cloned().unwrap_or_default();
    all.sort_unstable();
    let number = hash(all.join(",").as_bytes());
    format!("{}-{number:016x}-{}", slug(&first), key.name())
}

/// Text as a part of a key of the storage: short, and made of what every disk takes.
pub(crate) fn slug(text: &str) -> String {
    let text = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or(text);
    let text = text.replace('*', "wildcard");
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let slug: String = text.chars().map(plain).take(80).collect();
    slug.trim_matches(['.', '-']).to_owned()
}

/// FNV-1a with 64 bits: the same on every machine and in every version.
#[must_use]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
