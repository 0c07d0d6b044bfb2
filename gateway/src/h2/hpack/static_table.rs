//! The static table (RFC 7541 appendix A).

use crate::head::{Field, Known};

/// How many entries it has. The dynamic table's indexes follow them.
pub(super) const LENGTH: usize = ENTRIES.len();

/// Names and values; the first has index 1.
pub(super) const ENTRIES: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// The index of `:status`, and of those statuses that have a place of their own.
pub(super) fn status(code: u16) -> Option<u8> {
    Some(match code {
        200 => 8,
        204 => 9,
        206 => 10,
        304 => 11,
        400 => 12,
        404 => 13,
        500 => 14,
        _ => return None,
    })
}

/// The first index of `:status`.
pub(super) const STATUS: usize = 8;

/// The index of a name that answers use.
pub(super) fn index_of(field: Field<'_>) -> Option<usize> {
    Some(match field.known {
        Known::CacheControl => 24,
        Known::ContentEncoding => 26,
        Known::ContentLength => 28,
        Known::ContentType => 31,
        Known::Date => 33,
        Known::Etag => 34,
        Known::LastModified => 44,
        Known::Location => 46,
        Known::ProxyAuthenticate => 48,
        Known::RetryAfter => 53,
        Known::Server => 54,
        Known::SetCookie => 55,
        Known::Vary => 59,
        Known::Other => return index_of_other(field.name),
        _ => return None,
    })
}

fn index_of_other(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"accept-ranges" => 18,
        b"access-control-allow-origin" => 20,
        b"age" => 21,
        b"allow" => 22,
        b"content-disposition" => 25,
        b"content-language" => 27,
        b"content-location" => 29,
        b"content-range" => 30,
        b"expires" => 36,
        b"link" => 45,
        b"refresh" => 52,
        b"strict-transport-security" => 56,
        b"via" => 60,
        b"www-authenticate" => 61,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_those_of_the_table() {
        for (place, (name, value)) in ENTRIES.iter().enumerate() {
            let known = Known::of(name.as_bytes());
            let field = Field { known, name: name.as_bytes(), value: value.as_bytes() };
            if let Some(index) = index_of(field) {
                assert_eq!(index, place + 1, "{name}");
            }
            if *name == ":status" {
                assert_eq!(status(value.parse().unwrap()), Some(place as u8 + 1));
            }
        }
        assert_eq!(ENTRIES[STATUS - 1].0, ":status");
    }
}
