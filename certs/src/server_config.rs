//! The TLS side of a listener.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider, kx_group};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert, ServerConfig,
};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

use crate::store::CertStore;

/// The TLS record that refuses a handshake with a fatal `unrecognized_name` (RFC 6066, section 3;
/// RFC 8446, section 6): type alert, record version 3.3, two bytes, fatal, 112. To be written to the
/// plain connection before it is closed; nothing is encrypted yet when the name becomes known.
pub const UNRECOGNIZED_NAME_ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// The cryptography of the gateway: aws-lc-rs, named here and never taken from the process, whose
/// default another library may have set.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    let mut provider = default_provider();
    // The hybrid with ML-KEM comes first: what is recorded today stays closed to the computers of
    // tomorrow. The server follows the client's order among these.
    provider.kx_groups =
        vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    Arc::new(provider)
}

/// Makes and reads session tickets under keys that change every six hours; a ticket is good for
/// twelve. Make one for the process and share it, also across configurations: a ticket that one
/// worker gave can then be used with every other, and after a reload.
///
/// # Errors
/// Where the system gives no random numbers.
pub fn ticketer() -> Result<Arc<dyn ProducesTickets>, rustls::Error> {
    Ticketer::new()
}

/// What handshakes are run with: TLS 1.3 and 1.2, certificates from `resolver`, `alpn` in the
/// server's order of preference (`b"h2"`, `b"http/1.1"`).
///
/// # Errors
/// Where the provider lacks what a protocol version needs.
pub fn server_config(
    resolver: Arc<dyn ResolvesServerCert>,
    tickets: Arc<dyn ProducesTickets>,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    // Resumption is by ticket alone, in both versions: nothing to keep for each client, and nothing
    // to lock among the workers.
    config.ticketer = tickets;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // Two, so that a browser that opens a second connection at once need not use one ticket twice.
    config.send_tls13_tickets = 2;
    // A request in early data can be replayed by whoever recorded it.
    config.max_early_data_size = 0;
    // Each suite offered here is strong, so the client may choose: one without AES in hardware puts
    // ChaCha20 first, and one with it AES-128, the quickest for both sides.
    config.ignore_client_order = false;
    Ok(Arc::new(config))
}

/// The same for a site that asks its clients for certificates. Nobody resumes a session there: who
/// comes back is verified again, against the lists of today.
///
/// # Errors
/// Where the provider lacks what a protocol version needs.
pub fn server_config_for_clients(
    resolver: Arc<dyn ResolvesServerCert>,
    verifier: Arc<dyn ClientCertVerifier>,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(resolver);
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.ignore_client_order = false;
    Ok(Arc::new(config))
}

/// What a CA's visit is run with: nothing but the protocol that it asks for, and no resumption.
///
/// # Errors
/// Where the provider lacks what a protocol version needs.
pub fn challenge_config(
    resolver: Arc<dyn ResolvesServerCert>,
    protocol: &[u8],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![protocol.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The same configuration for one connection that named no host and came in at `local_ip`: it gets
/// the certificate of the site that is called like that address. rustls tells a resolver the name
/// but not the address; such connections are rare, so the copy is made only for them.
#[must_use]
pub fn config_for_address(
    config: &ServerConfig,
    store: Arc<CertStore>,
    local_ip: IpAddr,
) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.cert_resolver = Arc::new(AtAddress { store, local_ip });
    Arc::new(config)
}

#[derive(Debug)]
struct AtAddress {
    store: Arc<CertStore>,
    local_ip: IpAddr,
}

impl ResolvesServerCert for AtAddress {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.store.resolve(hello.server_name(), self.local_ip, hello.signature_schemes()).into_key()
    }
}
