//! An origin that costs little: what stands behind a proxy while the proxy is measured.
//!
//! One thread, one epoll. It speaks HTTP/1.1 with keep-alive and WebSocket, and answers from memory:
//! `GET /` with a page of 130 bytes, `GET /size/N` with N bytes, `POST` and `PUT` anywhere with the
//! number of bytes that it took, `/ws` with an echo.

mod answer;
mod body;
mod connection;
mod websocket;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;

use connection::{Connection, Waits};

const LISTENER: u64 = 0;
const SINK: u64 = 1;
const FIRST_CONNECTION: u64 = 2;

/// Bytes that one read may bring. Uploads come in large pieces, and a smaller buffer would make the
/// origin dearer than the proxy before it.
const READ: usize = 256 * 1024;

/// The origin, listening and not yet serving.
#[derive(Debug)]
pub struct Origin {
    listener: TcpListener,
    sink: Option<TcpListener>,
}

impl Origin {
    /// Listens on `listen`; and on `sink`, where whatever arrives is read and thrown away, for logs
    /// that a proxy sends instead of writing them.
    ///
    /// # Errors
    /// That of an address that cannot be listened on.
    pub fn bind(listen: SocketAddr, sink: Option<SocketAddr>) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let sink = sink.map(TcpListener::bind).transpose()?;
        if let Some(sink) = &sink {
            sink.set_nonblocking(true)?;
        }
        Ok(Self { listener, sink })
    }

    /// Where requests are answered.
    ///
    /// # Errors
    /// That of the socket, which has none while it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where things are thrown away.
    ///
    /// # Errors
    /// That of the socket, which has none while it listens.
    pub fn sink(&self) -> io::Result<Option<SocketAddr>> {
        self.sink.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves for as long as the process lives.
    ///
    /// # Errors
    /// That of epoll. A connection's error ends that connection alone.
    pub fn serve(self) -> io::Result<Infallible> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        watch(&poll, &self.listener, LISTENER)?;
        if let Some(sink) = &self.sink {
            watch(&poll, sink, SINK)?;
        }
        let mut serving = Serving {
            poll,
            peers: HashMap::new(),
            next: FIRST_CONNECTION,
            scratch: vec![0; READ].into_boxed_slice(),
        };
        let mut events = Vec::with_capacity(256);
        loop {
            events.clear();
            match epoll::wait(&serving.poll, spare_capacity(&mut events), None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    LISTENER => serving.accept(&self.listener, Peer::http),
                    SINK => self.sink.iter().for_each(|sink| serving.accept(sink, Peer::Sink)),
                    token => serving.advance(token),
                }
            }
        }
    }
}

fn watch(poll: &impl std::os::fd::AsFd, listener: &TcpListener, token: u64) -> io::Result<()> {
    let token = epoll::EventData::new_u64(token);
    Ok(epoll::add(poll, listener, token, epoll::EventFlags::IN)?)
}

enum Peer {
    /// Boxed, because most of what a peer takes is this.
    Http(Box<Connection>),
    Sink(TcpStream),
}

impl Peer {
    fn http(stream: TcpStream) -> Self {
        Self::Http(Box::new(Connection::new(stream)))
    }

    fn stream(&self) -> &TcpStream {
        match self {
            Self::Http(connection) => connection.stream(),
            Self::Sink(stream) => stream,
        }
    }
}

struct Serving {
    poll: rustix::fd::OwnedFd,
    peers: HashMap<u64, Peer>,
    next: u64,
    scratch: Box<[u8]>,
}

impl Serving {
    /// Takes everybody who waits. What cannot be taken, for want of descriptors say, waits on.
    fn accept(&mut self, listener: &TcpListener, peer: impl Fn(TcpStream) -> Peer) {
        while let Ok((stream, _)) = listener.accept() {
            if stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).is_err() {
                continue;
            }
            let token = epoll::EventData::new_u64(self.next);
            if epoll::add(&self.poll, &stream, token, epoll::EventFlags::IN).is_ok() {
                self.peers.insert(self.next, peer(stream));
                self.next += 1;
            }
        }
    }

    fn advance(&mut self, token: u64) {
        let Some(peer) = self.peers.get_mut(&token) else { return };
        let waits = match peer {
            Peer::Http(connection) => connection.advance(&mut self.scratch),
            Peer::Sink(stream) => throw_away(stream, &mut self.scratch),
        };
        let flags = match waits {
            Ok(Waits::AsBefore) => return,
            Ok(Waits::ToRead) => epoll::EventFlags::IN,
            Ok(Waits::ToWrite) => epoll::EventFlags::OUT,
            Err(_) => {
                // Closing the socket takes it out of epoll as well.
                self.peers.remove(&token);
                return;
            }
        };
        let token_data = epoll::EventData::new_u64(token);
        if epoll::modify(&self.poll, peer.stream(), token_data, flags).is_err() {
            self.peers.remove(&token);
        }
    }
}

fn throw_away(stream: &mut TcpStream, scratch: &mut [u8]) -> io::Result<Waits> {
    loop {
        match stream.read(scratch) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Waits::AsBefore),
            Err(error) => return Err(error),
        }
    }
}
