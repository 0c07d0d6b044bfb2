//! Pebble's management API: the chains it issues by, and what became of a certificate.

use std::path::Path;

use hyper::StatusCode;
use serde_json::Value;

use super::Pebble;
use super::client;
use super::ports::Ports;

/// Whether both of pebble's listeners answer; as they show the test's own certificate, no other
/// program can.
pub(crate) async fn answers(ports: &Ports, ca: &Path) -> bool {
    client::get_https(ports.management, "/roots/0", ca).await.is_ok()
        && client::get_https(ports.directory, "/dir", ca).await.is_ok()
}

impl Pebble {
    /// The root of the chain that certificates come with, as PEM.
    pub(crate) async fn root_pem(&self) -> String {
        self.alternate_root_pem(0).await
    }

    /// A further root, from 1 to [`Options::alternate_roots`](super::Options::alternate_roots).
    pub(crate) async fn alternate_root_pem(&self, number: u8) -> String {
        self.pem(&format!("/roots/{number}")).await
    }

    /// The intermediate that signs certificates, as PEM.
    pub(crate) async fn intermediate_pem(&self) -> String {
        self.pem("/intermediates/0").await
    }

    /// The state of a certificate, `Valid` or `Revoked`, by its serial in hexadecimal digits.
    pub(crate) async fn certificate_status(&self, serial: &str) -> Option<String> {
        let (status, body) = self.managed(&format!("/cert-status-by-serial/{serial}")).await;
        if status == StatusCode::NOT_FOUND {
            return None;
        }
        let answer: Value = serde_json::from_slice(&body).unwrap();
        answer["Status"].as_str().map(str::to_owned)
    }

    async fn pem(&self, path: &str) -> String {
        let (status, body) = self.managed(path).await;
        assert_eq!(status, StatusCode::OK, "pebble's management API has no {path}");
        String::from_utf8(body.to_vec()).unwrap()
    }

    async fn managed(&self, path: &str) -> (StatusCode, bytes::Bytes) {
        client::get_https(self.ports.management, path, &self.ca_file()).await.unwrap()
    }
}
