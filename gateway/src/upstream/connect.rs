//! Making a connection to a server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::pool::Peer;
use crate::stream::{GatheringStream, Transport};

/// Tries every address in turn.
pub(super) async fn first_reachable(
    peers: &[Peer],
    tls: Option<(&Arc<ClientConfig>, &ServerName<'static>)>,
) -> io::Result<(GatheringStream, Peer)> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "its name has no addresses");
    for peer in peers {
        match connect(peer, tls).await {
            Ok(transport) => return Ok((GatheringStream::to_upstream(transport), peer.clone())),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn connect(
    peer: &Peer,
    tls: Option<(&Arc<ClientConfig>, &ServerName<'static>)>,
) -> io::Result<Transport> {
    let tcp = match peer {
        Peer::Unix(path) => return Ok(Transport::Unix(UnixStream::connect(path).await?)),
        Peer::Ip(addr) => connect_tcp(*addr).await?,
    };
    Ok(match tls {
        None => Transport::Tcp(tcp),
        Some((config, name)) => {
            let connector = TlsConnector::from(config.clone());
            Transport::TlsClient(Box::new(connector.connect(name.clone(), tcp).await?))
        }
    })
}

async fn connect_tcp(addr: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(addr).await?;
    tcp.set_nodelay(true)?;
    // A machine that vanished is noticed even where a stream is silent for hours.
    socket2::SockRef::from(&tcp).set_tcp_keepalive(&crate::accept::keepalive())?;
    Ok(tcp)
}
