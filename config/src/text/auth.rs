//! What stands in `auth`: users, hashes of passwords, paths of services, and where keys are.

use url::Url;

use crate::complaint::{Complaint, quoted};
use crate::model::{PasswordHash, PasswordHashError};
use crate::problem::Code;

/// The name of a user (RFC 7617 section 2: no colon, no control characters).
pub(crate) fn parse_user(text: &str) -> Result<String, Complaint> {
    if text.is_empty() || text.contains(':') || text.contains(char::is_control) {
        return Err(Complaint::new(Code::BadUser, format!("{} cannot be a user", quoted(text)))
            .help("write a name without a colon and without control characters"));
    }
    Ok(text.to_owned())
}

/// The hash of a password. What is none may be the password, and is not repeated.
pub(crate) fn parse_password_hash(text: &str) -> Result<PasswordHash, Complaint> {
    PasswordHash::parse(text).map_err(|error| {
        let message = format!("this is not a hash of a password that could be trusted: {error}");
        let changed = match error {
            PasswordHashError::Plain => "; if others have seen the password, have it changed",
            _ => "",
        };
        Complaint::new(Code::BadPasswordHash, message).help(format!(
            "run `gateway hash-password`, type the password there, and write what it prints{changed}"
        ))
    })
}

/// Path and query that a service is asked for.
pub(crate) fn parse_service_path(text: &str) -> Result<String, Complaint> {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '"' | '<' | '>' | '\\' | '`');
    if !text.starts_with('/') || text.starts_with("//") || !text.chars().all(plain) {
        return Err(Complaint::new(
            Code::BadPath,
            format!("{} is not a path to ask a service for", quoted(text)),
        )
        .help("write a path that begins with `/`, with a query where one is needed, and without a `#`: \"/api/authz/forward-auth\""));
    }
    Ok(text.to_owned())
}

/// Where keys are.
pub(crate) enum KeySet {
    File(String),
    Url {
        /// As `to` would name it.
        server: String,
        authority: String,
        path: String,
    },
}

/// The URL of keys, or the name of a file.
pub(crate) fn parse_key_set(text: &str) -> Result<KeySet, Complaint> {
    if !text.contains("://") {
        return match text.is_empty() || text.contains('\0') {
            false => Ok(KeySet::File(text.to_owned())),
            true => Err(not_keys(text)),
        };
    }
    let url = Url::parse(text).map_err(|_| not_keys(text))?;
    let with_user = !url.username().is_empty() || url.password().is_some();
    if with_user || url.fragment().is_some() || text.trim() != text {
        return Err(not_keys(text));
    }
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(not_keys(text));
    };
    let server = match url.scheme() {
        "https" => format!("https://{host}:{port}"),
        "http" => format!("{host}:{port}"),
        _ => return Err(not_keys(text)),
    };
    let authority = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(KeySet::Url { server, authority, path: format!("{}{query}", url.path()) })
}

fn not_keys(text: &str) -> Complaint {
    // A URL may hold a password.
    let what = if text.contains('@') { "this".to_owned() } else { quoted(text) };
    Complaint::new(Code::BadUrl, format!("{what} does not say where keys are"))
        .help("write the URL of a key set without user, password and fragment, \"https://id.example.com/jwks.json\", or the name of a file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_at_a_url_or_in_a_file() {
        for (text, expected) in [
            (
                "https://id.example.com/jwks.json",
                "https://id.example.com:443 id.example.com /jwks.json",
            ),
            (
                "http://keycloak:8080/realms/a/certs?x=y",
                "keycloak:8080 keycloak:8080 /realms/a/certs?x=y",
            ),
            ("https://[2001:db8::1]", "https://[2001:db8::1]:443 [2001:db8::1] /"),
        ] {
            match parse_key_set(text) {
                Ok(KeySet::Url { server, authority, path }) => {
                    assert_eq!(format!("{server} {authority} {path}"), expected);
                }
                _ => panic!("{text}"),
            }
        }
        assert!(matches!(parse_key_set("keys/jwks.json"), Ok(KeySet::File(_))));
        for text in
            ["", "ftp://a.example/x", "https://u:p@a.example/x", "https://a.example/#x", "https://"]
        {
            assert!(parse_key_set(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_service_is_asked_for_a_path() {
        for text in ["/", "/oauth2/auth?allowed_groups=a", "/outpost.goauthentik.io/auth/traefik"] {
            assert_eq!(parse_service_path(text).ok().as_deref(), Some(text));
        }
        for text in ["", "auth", "//a", "/a b", "/a#b", "/ä", "/a\r\nX: y"] {
            assert!(parse_service_path(text).is_err(), "{text}");
        }
    }
}
