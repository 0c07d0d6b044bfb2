//! TLS handshakes in memory, between a real rustls client and a real rustls server.

use std::sync::Arc;

use gateway_certs::{CertStore, provider, server_config, ticketer};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConfig,
    ServerConnection, SideData, SupportedProtocolVersion,
};

/// A client of the tests; each field is a wish.
pub(crate) struct Client {
    pub(crate) provider: CryptoProvider,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) sni: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            provider: (*provider()).clone(),
            versions: vec![&rustls::version::TLS13],
            alpn: Vec::new(),
            sni: true,
        }
    }
}

impl Client {
    /// A client configuration that trusts these roots and lives at the tests' time.
    pub(crate) fn trusting(self, roots: &[CertificateDer<'static>]) -> Arc<ClientConfig> {
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root.clone()).unwrap();
        }
        let crypto = Arc::new(self.provider);
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&crypto))
                .build()
                .unwrap();
        let mut config = ClientConfig::builder_with_details(crypto, Arc::new(FixedTime))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_webpki_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = self.alpn;
        config.enable_sni = self.sni;
        Arc::new(config)
    }
}

#[derive(Debug)]
struct FixedTime;

impl TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = super::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Some(UnixTime::since_unix_epoch(since_epoch))
    }
}

/// What a listener would have: the store, h2 and http/1.1.
pub(crate) fn server(store: CertStore) -> Arc<ServerConfig> {
    server_config(Arc::new(store), ticketer().unwrap(), &[b"h2", b"http/1.1"]).unwrap()
}

/// A finished handshake.
pub(crate) struct Session {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

impl Session {
    /// The server's leaf, as the client has seen and verified it.
    pub(crate) fn leaf(&self) -> CertificateDer<'static> {
        self.client.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

/// Runs a handshake to its end, tickets included.
pub(crate) fn handshake(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    name: &str,
) -> Result<Session, rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name)?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    // Four flights are the most (TLS 1.2, or 1.3 with a retry); two more carry the tickets.
    for _ in 0..6 {
        let refused = carry(&mut client, &mut server);
        carry(&mut server, &mut client)?;
        refused?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(Session { client, server })
}

/// Moves everything that one side wants to send to the other.
fn carry<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
) -> Result<(), rustls::Error> {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).unwrap();
    }
    let mut wire = wire.as_slice();
    while !wire.is_empty() {
        to.read_tls(&mut wire).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}
