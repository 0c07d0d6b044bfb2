//! Sockets that begin to connect.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::ClientConfig;
use socket2::{Domain, Protocol, Socket, Type};

use crate::wire::{Failure, FailureKind};

/// What every connection of an event loop is made with.
pub(super) struct Dialing<'a> {
    pub(super) address: SocketAddr,
    pub(super) source: Option<IpAddr>,
    pub(super) tls: Option<&'a Arc<ClientConfig>>,
}

/// A socket that has begun to connect.
pub(super) fn dial(dialing: &Dialing<'_>) -> io::Result<TcpStream> {
    let domain = Domain::for_address(dialing.address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = dialing.source {
        // Also ports that a connection has only just left.
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    match socket.connect(&dialing.address.into()) {
        Ok(()) => {}
        Err(error)
            if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
        Err(error) => return Err(error),
    }
    Ok(socket.into())
}

pub(super) fn cannot_connect(error: &io::Error) -> Failure {
    Failure::new(FailureKind::Connect, format!("cannot connect: {error}"))
}
