//! What a CA is shown that comes to look: the listeners ask here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::RwLock;
use rustls::sign::CertifiedKey;

use crate::doctor::Password;
use crate::moment::Moment;

/// The path below which tokens are asked for (RFC 8555 section 8.3).
pub const HTTP_01_PATH: &str = "/.well-known/acme-challenge/";

/// The protocol by which a CA asks for the certificate of `tls-alpn-01` (RFC 8737).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// Open challenges. Requests and handshakes look here only where they ask for one, so the locks are
/// on nobody's way.
#[derive(Debug, Default)]
pub struct Responder {
    tokens: RwLock<HashMap<String, Arc<str>>>,
    certificates: RwLock<HashMap<String, Arc<CertifiedKey>>>,
    /// By which the doctor finds out whether it is this gateway that answers.
    password: RwLock<Option<Password>>,
}

impl Responder {
    /// The answer to a path, where it asks for the token of an open challenge.
    #[must_use]
    pub fn http_01(&self, path: &str) -> Option<Arc<str>> {
        let token = path.strip_prefix(HTTP_01_PATH)?;
        let open = self.tokens.read().get(token).cloned();
        open.or_else(|| self.to_doctor(token))
    }

    /// The answer to `gateway acme doctor`; to everybody else none.
    fn to_doctor(&self, token: &str) -> Option<Arc<str>> {
        let now = Moment::from(SystemTime::now());
        self.password.read().as_ref()?.answer(token, now).map(Into::into)
    }

    pub(crate) fn has_password(&self) -> bool {
        self.password.read().is_some()
    }

    pub(crate) fn set_password(&self, password: Option<Password>) {
        *self.password.write() = password;
    }

    /// The certificate for a handshake that offers nothing but [`ACME_TLS`], where the name has an
    /// open challenge. An address is asked for by the name that RFC 8738 section 6 makes of it.
    #[must_use]
    pub fn tls_alpn_01(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        self.certificates.read().get(name.as_str()).cloned()
    }

    pub(crate) fn add_token(&self, token: &str, answer: &str) {
        self.tokens.write().insert(token.to_owned(), answer.into());
    }

    pub(crate) fn remove_token(&self, token: &str) {
        self.tokens.write().remove(token);
    }

    pub(crate) fn add_certificate(&self, name: &str, certificate: CertifiedKey) {
        self.certificates.write().insert(server_name(name), Arc::new(certificate));
    }

    pub(crate) fn remove_certificate(&self, name: &str) {
        self.certificates.write().remove(&server_name(name));
    }
}

/// The SNI by which a CA asks for an identifier: an address becomes its name for reverse lookups.
fn server_name(identifier: &str) -> String {
    match identifier.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Ok(IpAddr::V6(ip)) => {
            let nibbles = ip.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            let labels: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
            format!("{labels}ip6.arpa")
        }
        Err(_) => identifier.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_asked_for_by_their_reverse_names() {
        assert_eq!(server_name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
        let reverse = server_name("2001:db8::1");
        assert!(reverse.starts_with("1.0.0.0.") && reverse.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"));
        assert_eq!(server_name("A.test"), "a.test");
    }

    #[test]
    fn only_open_challenges_are_answered() {
        let responder = Responder::default();
        responder.add_token("token", "token.key");
        assert_eq!(
            responder.http_01("/.well-known/acme-challenge/token").as_deref(),
            Some("token.key")
        );
        for path in ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/token/", "/token"]
        {
            assert_eq!(responder.http_01(path), None);
        }
        responder.remove_token("token");
        assert_eq!(responder.http_01("/.well-known/acme-challenge/token"), None);
    }
}
