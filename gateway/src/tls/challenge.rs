//! `tls-alpn-01` (RFC 8737): a CA comes to see a certificate, says so by its ALPN, and leaves.

use std::sync::Arc;

use gateway_acme::{ACME_TLS, Responder};
use rustls::ServerConfig;
use rustls::server::ClientHello;
use rustls::sign::SingleCertAndKey;

/// What to show, where the client is a CA that comes for an open challenge.
pub(super) fn config(hello: &ClientHello<'_>, responder: &Responder) -> Option<Arc<ServerConfig>> {
    // Offered alone (section 3): a client that could also speak HTTP gets HTTP.
    let mut offered = hello.alpn()?;
    if offered.next() != Some(ACME_TLS) || offered.next().is_some() {
        return None;
    }
    let key = responder.tls_alpn_01(hello.server_name()?)?;
    let resolver = Arc::new(SingleCertAndKey::from((*key).clone()));
    gateway_certs::challenge_config(resolver, ACME_TLS).ok()
}
