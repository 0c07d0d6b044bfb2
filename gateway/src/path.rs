//! Request paths: in the form in which routes and `deny_paths` compare them, and in the form in which
//! an upstream sees them.

use std::borrow::Cow;

use gateway_config::path::{PathError, normalize};

/// A path that was compared, and the bytes to send upstream for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path<'r> {
    /// Decoded and normalised. Begins with `/`.
    pub(crate) normal: Cow<'r, str>,
    /// What an upstream sees: the client's own bytes, unless they have dot segments; then the
    /// normalised path encoded again, so that no upstream resolves it to anything else than we did.
    pub(crate) wire: Cow<'r, str>,
}

/// Normalises the path of a request target (without its query).
///
/// # Errors
/// [`PathError`]: it is not a path, or not one that can be compared.
pub(crate) fn normalise(raw: &str) -> Result<Path<'_>, PathError> {
    let normal = normalize(raw)?;
    let wire = if matches!(normal, Cow::Owned(_)) && has_dot_segments(raw) {
        encode(&normal).into()
    } else {
        raw.into()
    };
    Ok(Path { normal, wire })
}

fn has_dot_segments(raw: &str) -> bool {
    let plain = raw.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/");
    plain.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Encodes everything but unreserved characters, sub-delimiters, `:`, `@` and `/`
/// (RFC 3986 section 3.3).
pub(crate) fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for half in [byte >> 4, byte & 15] {
                encoded.push(char::from(b"0123456789ABCDEF"[usize::from(half)]));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(raw: &str) -> String {
        normalise(raw).unwrap().normal.into_owned()
    }

    #[test]
    fn plain_paths_are_borrowed() {
        for raw in ["/", "/a", "/a/b.c/", "/a.b/c-d_e~f"] {
            let path = normalise(raw).unwrap();
            assert!(matches!(path.normal, Cow::Borrowed(_)), "{raw}");
            assert_eq!(path.normal, raw);
        }
    }

    #[test]
    fn hidden_spellings_come_out_plain() {
        for (raw, expected) in [
            ("//.env", "/.env"),
            ("/%2eenv", "/.env"),
            ("/a/..%2f.env", "/.env"),
            ("/a/%2e%2e/b", "/b"),
            ("/a/./b/", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("/a%2Fb", "/a/b"),
            ("/%41", "/A"),
        ] {
            assert_eq!(normal(raw), expected, "{raw}");
        }
    }

    #[test]
    fn upstreams_see_the_clients_bytes_unless_they_climb() {
        assert_eq!(normalise("/a%20b//c").unwrap().wire, "/a%20b//c");
        assert_eq!(normalise("/%66oo%2fbar").unwrap().wire, "/%66oo%2fbar");
        assert_eq!(normalise("/a/%2e%2e/b c%3F").unwrap().wire, "/b%20c%3F");
    }

    #[test]
    fn nonsense_is_refused() {
        for raw in ["", "a", "*", "/%", "/%4", "/%zz", "/%00", "/a%0d%0ab", "/..", "/%ff"] {
            assert!(normalise(raw).is_err(), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn normal_paths_stay_as_they_are(raw in "/[ -~]{0,40}") {
            if let Ok(path) = normalise(&raw) {
                let encoded = encode(&path.normal);
                let again = normalise(&encoded).unwrap();
                prop_assert_eq!(&again.normal, &path.normal);
            }
        }

        #[test]
        fn nothing_climbs(raw in "(/|\\.|%2e|%2f|%2E|a){0,30}") {
            if let Ok(path) = normalise(&format!("/{raw}")) {
                prop_assert!(path.normal.starts_with('/'));
                prop_assert!(path.normal.split('/').all(|s| s != "." && s != ".."));
                prop_assert!(!path.normal.contains("//"));
                let wire = path.wire.to_lowercase().replace("%2e", ".").replace("%2f", "/");
                prop_assert!(wire.split('/').all(|s| s != ".."), "{}", path.wire);
            }
        }
    }
}
