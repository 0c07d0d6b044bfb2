//! Fields that speak of one connection and must not be passed on (RFC 9110 section 7.6.1).

use crate::head::{Fields, Known};

/// Whether a field never goes further than this connection.
pub(crate) fn is_hop_by_hop(known: Known) -> bool {
    matches!(
        known,
        Known::Connection
            | Known::TransferEncoding
            | Known::Upgrade
            | Known::Http2Settings
            | Known::Te
            | Known::Trailer
            | Known::KeepAlive
            | Known::ProxyConnection
            | Known::ProxyAuthorization
    )
}

/// The further fields that `Connection` declares to be of this connection only, in lower case. A
/// sender cannot take away the ones that make a message what it is.
pub(crate) fn named_by_connection(fields: &Fields) -> Vec<Vec<u8>> {
    fields
        .all(Known::Connection)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|token| token.trim_ascii().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != b"close")
        .filter(|name| !is_hop_by_hop(Known::of(name)) && !is_essential(Known::of(name)))
        .collect()
}

fn is_essential(known: Known) -> bool {
    use Known::{Authorization, ContentLength, Cookie, Host};
    matches!(known, Host | ContentLength | Authorization | Cookie)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_names_fields_but_not_the_essential_ones() {
        let mut fields = Fields::default();
        fields.add(b"Connection", b"close, X-Secret , host");
        fields.add(b"Connection", b"x-other, te");
        assert_eq!(named_by_connection(&fields), [b"x-secret".as_slice(), b"x-other"]);
    }
}
