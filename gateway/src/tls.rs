//! The TLS handshake with a client: which site it asks for, then its certificate.

mod buffer;
mod challenge;
mod hello;
mod session;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_acme::Responder;
use gateway_certs::{CertStore, IssueError, Resolved, UNRECOGNIZED_NAME_ALERT, config_for_address};
use rustls::server::{Accepted, UnbufferedServerConnection};
use rustls::{CertificateError, HandshakeKind, ProtocolVersion, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub(crate) use stream::TlsStream;

/// What is known of a connection after its handshake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TlsFacts {
    /// The site whose certificate was shown; `None` where a reload has removed it since.
    pub(crate) site: Option<usize>,
    pub(crate) version: &'static str,
    /// The key-exchange group; none where TLS 1.2 was resumed.
    pub(crate) group: Option<&'static str>,
    pub(crate) resumed: bool,
    pub(crate) http2: bool,
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("the client asked for a name of no site")]
    UnknownName,
    #[error("no certificate could be made for the name")]
    NoCertificate(#[source] IssueError),
    #[error("the handshake took longer than {0:?}")]
    Timeout(Duration),
    #[error("the client showed no certificate")]
    NoClientCertificate,
    #[error("the client's certificate has been revoked")]
    RevokedClient,
    #[error("the client's certificate is not valid at this time")]
    ExpiredClient,
    #[error("the list of revoked certificates is over, or missing")]
    NoRevocationList,
    #[error("the client's certificate is refused")]
    UnknownClient,
    #[error("the handshake failed")]
    Failed(#[source] io::Error),
}

impl HandshakeError {
    /// A name from a fixed set, for the metric.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::UnknownName => "unknown_name",
            Self::NoCertificate(_) => "no_certificate",
            Self::Timeout(_) => "timeout",
            Self::NoClientCertificate => "client_certificate_missing",
            Self::RevokedClient => "client_certificate_revoked",
            Self::ExpiredClient => "client_certificate_expired",
            Self::NoRevocationList => "client_revocation_list",
            Self::UnknownClient => "client_certificate_refused",
            Self::Failed(_) => "failed",
        }
    }
}

impl From<io::Error> for HandshakeError {
    /// A server sees certificates of clients only: what is wrong with one is the client's.
    fn from(error: io::Error) -> Self {
        use CertificateError as Wrong;
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(rustls::Error::NoCertificatesPresented) => Self::NoClientCertificate,
            Some(rustls::Error::InvalidCertificate(wrong)) => match wrong {
                Wrong::Revoked => Self::RevokedClient,
                Wrong::Expired
                | Wrong::ExpiredContext { .. }
                | Wrong::NotValidYet
                | Wrong::NotValidYetContext { .. } => Self::ExpiredClient,
                Wrong::UnknownRevocationStatus
                | Wrong::ExpiredRevocationList
                | Wrong::ExpiredRevocationListContext { .. } => Self::NoRevocationList,
                _ => Self::UnknownClient,
            },
            _ => Self::Failed(error),
        }
    }
}

/// A connection after its handshake.
pub(crate) struct Shaken {
    pub(crate) stream: Box<TlsStream>,
    pub(crate) facts: TlsFacts,
    /// Whom the client's certificate is made out to, where it showed one.
    pub(crate) client: Option<String>,
}

/// The configurations of sites that ask their clients for certificates.
pub(crate) type ForClients = HashMap<usize, ForClient>;

/// What a site is served with that asks its clients for certificates.
pub(crate) struct ForClient {
    pub(crate) config: Arc<ServerConfig>,
    /// Another number where they are held against something else.
    pub(crate) version: u64,
}

/// Performs the handshake within `limit`. `None`: it was a CA, that has seen what it came for.
pub(crate) async fn handshake(
    tcp: TcpStream,
    store: &Arc<CertStore>,
    (config, for_clients): (&Arc<ServerConfig>, &ForClients),
    responder: &Responder,
    limit: Duration,
) -> Result<Option<Shaken>, HandshakeError> {
    let local = tcp.local_addr().map_err(HandshakeError::Failed)?.ip().to_canonical();
    let ground = Ground { store, config, for_clients, responder, local };
    match tokio::time::timeout(limit, shake(tcp, ground)).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(HandshakeError::Timeout(limit)),
    }
}

/// What the handshake is chosen from, and where the connection came in.
struct Ground<'a> {
    store: &'a Arc<CertStore>,
    config: &'a Arc<ServerConfig>,
    for_clients: &'a ForClients,
    responder: &'a Responder,
    local: IpAddr,
}

/// What a handshake is made with, and for which site; for none where it is a CA's.
struct Chosen {
    config: Arc<ServerConfig>,
    site: Option<usize>,
}

async fn shake(mut tcp: TcpStream, ground: Ground<'_>) -> Result<Option<Shaken>, HandshakeError> {
    let mut received = Vec::new();
    let accepted = hello::read(&mut tcp, &mut received).await.map_err(HandshakeError::Failed)?;
    let Chosen { config, site } = match choose(accepted, &ground) {
        Ok(chosen) => chosen,
        Err(error) => {
            if matches!(error, HandshakeError::UnknownName) {
                // rustls would answer `access_denied` to a name that it finds no certificate for.
                refuse(tcp).await;
            }
            return Err(error);
        }
    };
    let accepting = TlsStream::accept(tcp, config, received);
    let mut stream = accepting.await?;
    let Some(site) = site else {
        drop(stream.shutdown().await);
        return Ok(None);
    };
    let facts = facts_of(stream.connection(), site);
    let shown = stream.connection().peer_certificates().and_then(|chain| chain.first());
    let client = shown.and_then(gateway_certs::subject);
    Ok(Some(Shaken { stream, facts, client }))
}

fn choose(accepted: Accepted, ground: &Ground<'_>) -> Result<Chosen, HandshakeError> {
    let Ground { store, config, for_clients, responder, local } = ground;
    let hello = accepted.client_hello();
    if let Some(config) = challenge::config(&hello, responder) {
        return Ok(Chosen { config, site: None });
    }
    let site = match store.resolve(hello.server_name(), *local, hello.signature_schemes()) {
        Resolved::Found { site, .. } => site,
        Resolved::UnknownName => return Err(HandshakeError::UnknownName),
        Resolved::Failed { source, .. } => return Err(HandshakeError::NoCertificate(source)),
    };
    let config = for_clients.get(&site).map_or(*config, |own| &own.config);
    let config = match hello.server_name() {
        Some(_) => Arc::clone(config),
        None => config_for_address(config, Arc::clone(store), *local),
    };
    Ok(Chosen { config, site: Some(site) })
}

async fn refuse(mut tcp: TcpStream) {
    // A client that is gone already needs no alert.
    drop(tcp.write_all(&UNRECOGNIZED_NAME_ALERT).await);
    drop(tcp.shutdown().await);
}

fn facts_of(connection: &UnbufferedServerConnection, site: usize) -> TlsFacts {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let group = connection.negotiated_key_exchange_group();
    TlsFacts {
        site: Some(site),
        version,
        group: group.and_then(|group| group.name().as_str()),
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        http2: connection.alpn_protocol() == Some(b"h2"),
    }
}
