//! How a pebble is to behave.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::https;
use super::ports::Ports;

/// The configuration's file.
pub(crate) const CONFIG: &str = "pebble.json";

/// What can be set of pebble. Without a word it validates at once, takes every good nonce, reuses no
/// authorization and wants no external account.
#[derive(Clone, Default, Debug)]
pub(crate) struct Options {
    /// The port where http-01 is looked for, instead of [`Pebble::http_at`](super::Pebble::http_at).
    pub(crate) http_port: Option<u16>,
    /// The port where tls-alpn-01 is looked for, instead of
    /// [`Pebble::tls_at`](super::Pebble::tls_at).
    pub(crate) tls_port: Option<u16>,
    /// External account keys: key id, and MAC key as base64url without padding. Where there are any, a
    /// new account needs one.
    pub(crate) external_accounts: Vec<(&'static str, &'static str)>,
    /// Seconds that certificates are valid for; five years unless set.
    pub(crate) validity: Option<u32>,
    /// Names that no certificate is issued for.
    pub(crate) blocked: Vec<&'static str>,
    /// Every validation waits up to so many seconds less one, by chance; unless set none waits.
    pub(crate) validation_sleep: Option<u32>,
    /// Every challenge succeeds, and nothing is looked for.
    pub(crate) always_valid: bool,
    /// Percent of good nonces that are answered with `badNonce`.
    pub(crate) rejected_nonces: u8,
    /// Percent of valid authorizations that are reused in another order.
    pub(crate) reused_authorizations: u8,
    /// Further roots, each with a chain that is offered as an alternate.
    pub(crate) alternate_roots: u8,
    /// Intermediate certificates in each chain; one unless set.
    pub(crate) chain_length: Option<u8>,
}

impl Options {
    /// Writes pebble's configuration; `validated` are the ports of http-01 and tls-alpn-01.
    pub(crate) fn write_config(&self, dir: &Path, ports: &Ports, validated: [u16; 2]) {
        let keys: Map<String, Value> =
            self.external_accounts.iter().map(|&(id, key)| (id.to_owned(), key.into())).collect();
        let config = json!({ "pebble": {
            "listenAddress": ports.directory.to_string(),
            "managementListenAddress": ports.management.to_string(),
            "certificate": https::CERTIFICATE,
            "privateKey": https::KEY,
            "httpPort": validated[0],
            "tlsPort": validated[1],
            "ocspResponderURL": "",
            "externalAccountBindingRequired": !keys.is_empty(),
            "externalAccountMACKeys": keys,
            "domainBlocklist": self.blocked,
            "certificateValidityPeriod": self.validity.unwrap_or(0),
        }});
        std::fs::write(dir.join(CONFIG), config.to_string()).unwrap();
    }

    /// The variables of pebble's environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let sleep = match self.validation_sleep {
            Some(seconds) => ("PEBBLE_VA_SLEEPTIME", seconds.to_string()),
            None => ("PEBBLE_VA_NOSLEEP", "1".to_owned()),
        };
        vec![
            sleep,
            ("PEBBLE_VA_ALWAYS_VALID", u8::from(self.always_valid).to_string()),
            ("PEBBLE_WFE_NONCEREJECT", self.rejected_nonces.to_string()),
            ("PEBBLE_AUTHZREUSE", self.reused_authorizations.to_string()),
            ("PEBBLE_ALTERNATE_ROOTS", self.alternate_roots.to_string()),
            ("PEBBLE_CHAIN_LENGTH", self.chain_length.unwrap_or(1).to_string()),
        ]
    }
}
