//! The TLS handshake with a client: which site it asks for, then its certificate.

mod challenge;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_acme::Responder;
use gateway_certs::{CertStore, IssueError, Resolved, UNRECOGNIZED_NAME_ALERT, config_for_address};
use rustls::{HandshakeKind, ProtocolVersion, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// What is known of a connection after its handshake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TlsFacts {
    /// The site whose certificate was shown.
    pub(crate) site: usize,
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
            Self::Failed(_) => "failed",
        }
    }
}

/// Performs the handshake within `limit`. `None`: it was a CA, that has seen what it came for.
pub(crate) async fn handshake(
    tcp: TcpStream,
    store: &Arc<CertStore>,
    config: &Arc<ServerConfig>,
    responder: &Responder,
    limit: Duration,
) -> Result<Option<(Box<TlsStream<TcpStream>>, TlsFacts)>, HandshakeError> {
    let local = tcp.local_addr().map_err(HandshakeError::Failed)?.ip().to_canonical();
    match tokio::time::timeout(limit, shake(tcp, store, config, responder, local)).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(HandshakeError::Timeout(limit)),
    }
}

async fn shake(
    tcp: TcpStream,
    store: &Arc<CertStore>,
    config: &Arc<ServerConfig>,
    responder: &Responder,
    local: IpAddr,
) -> Result<Option<(Box<TlsStream<TcpStream>>, TlsFacts)>, HandshakeError> {
    let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tcp);
    let start = acceptor.await.map_err(HandshakeError::Failed)?;
    let hello = start.client_hello();
    if let Some(config) = challenge::config(&hello, responder) {
        let mut shown = start.into_stream(config).await.map_err(HandshakeError::Failed)?;
        drop(shown.shutdown().await);
        return Ok(None);
    }
    let by_address = hello.server_name().is_none();
    let site = match store.resolve(hello.server_name(), local, hello.signature_schemes()) {
        Resolved::Found { site, .. } => site,
        Resolved::UnknownName => {
            // rustls would answer `access_denied` to a name that it finds no certificate for.
            refuse(start.io).await;
            return Err(HandshakeError::UnknownName);
        }
        Resolved::Failed { source, .. } => return Err(HandshakeError::NoCertificate(source)),
    };
    let config =
        if by_address { config_for_address(config, store.clone(), local) } else { config.clone() };
    // In a box from here on: a connection's task is as large as the largest thing it ever holds.
    let stream = start.into_stream(config).await.map_err(HandshakeError::Failed)?;
    let stream = Box::new(stream);
    let facts = facts_of(stream.get_ref().1, site);
    Ok(Some((stream, facts)))
}

async fn refuse(mut tcp: TcpStream) {
    // A client that is gone already needs no alert.
    drop(tcp.write_all(&UNRECOGNIZED_NAME_ALERT).await);
    drop(tcp.shutdown().await);
}

fn facts_of(connection: &rustls::ServerConnection, site: usize) -> TlsFacts {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let group = connection.negotiated_key_exchange_group();
    TlsFacts {
        site,
        version,
        group: group.and_then(|group| group.name().as_str()),
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        http2: connection.alpn_protocol() == Some(b"h2"),
    }
}
