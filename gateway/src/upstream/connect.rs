//! Making a connection to a server.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use gateway_config::model::ProxyProtocol;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::members::Peer;
use crate::proxy_protocol;
use crate::stream::{GatheringStream, Transport};

/// Whose request a connection is made for, where its first bytes say so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Introduction {
    pub(super) version: ProxyProtocol,
    pub(super) client: IpAddr,
}

impl Introduction {
    fn to(self, server: SocketAddr) -> io::Result<Vec<u8>> {
        proxy_protocol::introduction(self.version, (self.client, 0).into(), server)
    }
}

/// Makes a connection to a server.
///
/// # Errors
/// Those of the network, and of TLS.
pub(super) async fn connect(
    peer: &Peer,
    tls: Option<(&Arc<ClientConfig>, &ServerName<'static>)>,
    introduce: Option<Introduction>,
) -> io::Result<GatheringStream> {
    Ok(GatheringStream::to_upstream(transport(peer, tls, introduce).await?))
}

async fn transport(
    peer: &Peer,
    tls: Option<(&Arc<ClientConfig>, &ServerName<'static>)>,
    introduce: Option<Introduction>,
) -> io::Result<Transport> {
    let tcp = match peer {
        Peer::Unix(path) => {
            let mut unix = UnixStream::connect(path).await?;
            if let Some(introduce) = introduce {
                // A socket in the file system has no address in the protocol's families.
                unix.write_all(&introduce.to(SocketAddr::from(([0, 0, 0, 0], 0)))?).await?;
            }
            return Ok(Transport::Unix(unix));
        }
        Peer::Ip(addr) => {
            let mut tcp = connect_tcp(*addr).await?;
            if let Some(introduce) = introduce {
                tcp.write_all(&introduce.to(*addr)?).await?;
            }
            tcp
        }
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
