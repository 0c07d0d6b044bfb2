//! The TLS handshake with a client: which site it asks for, then its certificate.

mod buffer;
mod challenge;
mod hello;
mod session;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_acme::Responder;
use gateway_certs::{CertStore, IssueError, Resolved, UNRECOGNIZED_NAME_ALERT, config_for_address};
use rustls::server::{Accepted, UnbufferedServerConnection};
use rustls::{HandshakeKind, ProtocolVersion, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

pub(crate) use stream::TlsStream;

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
) -> Result<Option<(Box<TlsStream>, TlsFacts)>, HandshakeError> {
    let local = tcp.local_addr().map_err(HandshakeError::Failed)?.ip().to_canonical();
    match tokio::time::timeout(limit, shake(tcp, store, config, responder, local)).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(HandshakeError::Timeout(limit)),
    }
}

async fn shake(
    mut tcp: TcpStream,
    store: &Arc<CertStore>,
    config: &Arc<ServerConfig>,
    responder: &Responder,
    local: IpAddr,
) -> Result<Option<(Box<TlsStream>, TlsFacts)>, HandshakeError> {
    let mut received = Vec::new();
    let accepted = hello::read(&mut tcp, &mut received).await.map_err(HandshakeError::Failed)?;
    if let Some(config) = challenge::config(&accepted.client_hello(), responder) {
        let shown = TlsStream::accept(tcp, config, received).await;
        drop(shown.map_err(HandshakeError::Failed)?.shutdown().await);
        return Ok(None);
    }
    let by_address = accepted.client_hello().server_name().is_none();
    let site = match site_of(accepted, store, local) {
        Ok(site) => site,
        Err(error) => {
            if matches!(error, HandshakeError::UnknownName) {
                // rustls would answer `access_denied` to a name that it finds no certificate for.
                refuse(tcp).await;
            }
            return Err(error);
        }
    };
    let config =
        if by_address { config_for_address(config, store.clone(), local) } else { config.clone() };
    let stream = TlsStream::accept(tcp, config, received);
    let stream = stream.await.map_err(HandshakeError::Failed)?;
    let facts = facts_of(stream.connection(), site);
    Ok(Some((stream, facts)))
}

fn site_of(accepted: Accepted, store: &CertStore, local: IpAddr) -> Result<usize, HandshakeError> {
    let hello = accepted.client_hello();
    match store.resolve(hello.server_name(), local, hello.signature_schemes()) {
        Resolved::Found { site, .. } => Ok(site),
        Resolved::UnknownName => Err(HandshakeError::UnknownName),
        Resolved::Failed { source, .. } => Err(HandshakeError::NoCertificate(source)),
    }
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
        site,
        version,
        group: group.and_then(|group| group.name().as_str()),
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        http2: connection.alpn_protocol() == Some(b"h2"),
    }
}
