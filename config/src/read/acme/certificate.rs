//! What certificates by ACME are to be like: on `[acme]` for all sites, on a site for itself.

use crate::model::{AcmeCertificate, AcmeKeys, CertificatePer};
use crate::read::node::Node;
use crate::read::table::Table;
use crate::spec::Format;
use crate::text::parse_word;

/// What a table says, and what the level above says where it says nothing.
pub(in crate::read) fn read(table: &Table<'_>, above: &AcmeCertificate) -> AcmeCertificate {
    let profile = table.given("profile").and_then(|node| node.parse(Format::Word, parse_word));
    let keys = table.given("keys").and_then(|node| read_keys(&node));
    let per = table.given("certificate_per").and_then(|node| read_per(&node));
    AcmeCertificate {
        profile: profile.or_else(|| above.profile.clone()),
        keys: keys.unwrap_or(above.keys),
        per: per.unwrap_or(above.per),
    }
}

fn read_keys(node: &Node<'_>) -> Option<AcmeKeys> {
    match node.text()? {
        "ecdsa" => Some(AcmeKeys::Ecdsa),
        "rsa" => Some(AcmeKeys::Rsa),
        "both" => Some(AcmeKeys::Both),
        _ => None,
    }
}

fn read_per(node: &Node<'_>) -> Option<CertificatePer> {
    match node.text()? {
        "site" => Some(CertificatePer::Site),
        "host" => Some(CertificatePer::Host),
        _ => None,
    }
}
