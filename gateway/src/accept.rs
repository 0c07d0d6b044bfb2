//! Sockets: bound once for each worker, accepted from, counted.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gateway_config::model::{Connections, ListenAddr};
use parking_lot::Mutex;
use socket2::{Domain, Protocol, SockAddr, SockFilter, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::policy::limit::ClientKey;
use crate::stop::{Stage, Stop};
use crate::{descriptors, journal};

/// Connections that the kernel completes before we accept them. The kernel lowers it to
/// `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// After an accept failed for want of something (file descriptors), trying again at once would spin.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(50);

/// It is said so often while it lasts.
const BETWEEN_COMPLAINTS: Duration = Duration::from_secs(10);

/// Why a listener could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({listener}): {}", advice(.source))]
pub struct BindError {
    /// Which listener.
    pub listener: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

fn advice(source: &io::Error) -> String {
    let hint = match source.kind() {
        ErrorKind::AddrInUse => {
            "; another program has this port (`ss -ltnp` shows which): stop it, or choose another port under [server]"
        }
        ErrorKind::PermissionDenied => {
            "; ports below 1024 need the capability CAP_NET_BIND_SERVICE, or choose a higher port under [server]"
        }
        ErrorKind::AddrNotAvailable => {
            "; no interface of this machine has the address: [::] listens on all of them"
        }
        _ => return format!("{source}{}", descriptors::advice(source)),
    };
    format!("{source}{hint}")
}

/// Binds one address as many times as there are workers, so that the kernel spreads connections
/// over them (SO_REUSEPORT). An IPv6 wildcard takes IPv4 too.
///
/// # Errors
/// [`BindError`]; also where another process already listens there, with SO_REUSEPORT or without.
pub(crate) fn bind(
    listener: &'static str,
    address: ListenAddr,
    workers: usize,
) -> Result<Vec<std::net::TcpListener>, BindError> {
    let address = address.0;
    let failed = |source| BindError { listener, address, source };
    // SO_REUSEPORT would let a second gateway of the same user steal half of the connections.
    // Without it the first bind fails where anybody listens.
    let probe = open(address, false).map_err(failed)?;
    let address = ListenAddr(local_addr(&probe).map_err(failed)?);
    drop(probe);
    bind_beside(listener, address, workers)
}

/// [`bind`] for a port on which this process listens already, by an address that is to be given up.
///
/// # Errors
/// [`BindError`].
pub(crate) fn bind_beside(
    listener: &'static str,
    ListenAddr(address): ListenAddr,
    workers: usize,
) -> Result<Vec<std::net::TcpListener>, BindError> {
    let failed = |source| BindError { listener, address, source };
    (0..workers).map(|_| open(address, true).map(Into::into).map_err(failed)).collect()
}

fn open(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // What is accepted inherits these from the listener (tcp(7)), without a system call for each.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&keepalive())?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn local_addr(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?;
    address.as_socket().ok_or_else(|| io::Error::other("the socket has no internet address"))
}

/// The keep-alive of every connection: a peer that vanished is noticed after about two minutes.
pub(crate) fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4)
}

/// Accepts until a stop begins, or until the listener's own `door` is closed. What fails concerns one
/// connection only. `make_room`: gives up what can be done without, for there is no descriptor left.
pub(crate) async fn accept_all(
    listener: TcpListener,
    stop: &Stop,
    door: &Stop,
    mut serve: impl FnMut(TcpStream, SocketAddr),
    mut make_room: impl FnMut(),
) {
    let mut complained: Option<Instant> = None;
    let mut is_stopping = pin!(async {
        tokio::select! {
            () = stop.reached(Stage::Draining) => true,
            () = door.reached(Stage::Draining) => false,
        }
    });
    loop {
        let accepted = tokio::select! {
            biased;
            is_stopping = is_stopping.as_mut() => {
                if is_stopping {
                    return;
                }
                break;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => serve(tcp, peer),
            Err(error) if is_peers_doing(&error) => {}
            Err(error) => {
                if descriptors::are_spent(&error) {
                    make_room();
                }
                if complained.is_none_or(|last| last.elapsed() >= BETWEEN_COMPLAINTS) {
                    complained = Some(Instant::now());
                    let advice = descriptors::advice(&error);
                    let what = format_args!("cannot accept connections: {error}{advice}");
                    journal::error("accept", what, &[]);
                }
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            }
        }
    }
    if let Err(error) = close(listener, serve) {
        let advice = descriptors::advice(&error);
        let what = format_args!("connections of an address given up are lost: {error}{advice}");
        journal::error("accept", what, &[]);
    }
}

/// Serves whom the kernel has let in already, who would be thrown out with the socket. Where another
/// socket of ours takes the address over, nobody is lost in between.
fn close(listener: TcpListener, mut serve: impl FnMut(TcpStream, SocketAddr)) -> io::Result<()> {
    // The system is asked itself: tokio knows of a connection only once it has waited for one.
    let listener = listener.into_std()?;
    ignore_newcomers(&listener);
    // More have no place to wait, so that this ends whatever the system says.
    for _ in 0..=BACKLOG {
        match listener.accept() {
            Ok((tcp, peer)) => {
                tcp.set_nonblocking(true)?;
                serve(TcpStream::from_std(tcp)?, peer);
            }
            Err(error) if is_peers_doing(&error) || error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// From now on the kernel drops what comes for this socket, instead of letting in somebody who would
/// be thrown out a moment later. Who knocks meanwhile does so again after a second (RFC 6298 section 2)
/// and is let in by whoever listens then.
fn ignore_newcomers(listener: &std::net::TcpListener) {
    const BPF_RET: u16 = 0x06;
    let nothing = [SockFilter::new(BPF_RET, 0, 0, 0)];
    // Where that is not allowed, a connection of these microseconds is lost; nothing else is.
    let _ = SockRef::from(listener).attach_filter(&nothing);
}

fn is_peers_doing(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | InvalidInput | NotConnected)
}

/// Which cap refused a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Total,
    Client,
}

impl Full {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Client => "client",
        }
    }
}

/// Counts open connections against their caps.
#[derive(Debug)]
pub(crate) struct Census {
    /// The caps; a reload may change them.
    total: AtomicUsize,
    per_client: AtomicUsize,
    open: AtomicUsize,
    emptied: Notify,
    by_client: Mutex<HashMap<ClientKey, NonZeroUsize>>,
}

/// One counted connection; dropping it counts it out.
#[derive(Debug)]
pub(crate) struct Counted {
    census: Arc<Census>,
    client: Option<ClientKey>,
}

impl Census {
    pub(crate) fn new(caps: Connections) -> Arc<Self> {
        Arc::new(Self {
            total: AtomicUsize::new(caps.total.get()),
            per_client: AtomicUsize::new(caps.per_client.get()),
            open: AtomicUsize::new(0),
            emptied: Notify::new(),
            by_client: Mutex::default(),
        })
    }

    /// From now on these caps hold, for new connections.
    pub(crate) fn set_caps(&self, caps: Connections) {
        self.total.store(caps.total.get(), Relaxed);
        self.per_client.store(caps.per_client.get(), Relaxed);
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// Returns once no connection is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.open() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Counts a connection of `client`; `None` for a trusted proxy, which speaks for many.
    ///
    /// # Errors
    /// Which cap is reached.
    pub(crate) fn enter(self: &Arc<Self>, client: Option<IpAddr>) -> Result<Counted, Full> {
        let client = client.map(ClientKey::of);
        if self.open.fetch_add(1, Relaxed) >= self.total.load(Relaxed) {
            self.open.fetch_sub(1, Relaxed);
            return Err(Full::Total);
        }
        if let Some(key) = client {
            let mut by_client = self.by_client.lock();
            let count = by_client.get(&key).map_or(0, |count| count.get());
            let next = NonZeroUsize::MIN.saturating_add(count);
            if next.get() > self.per_client.load(Relaxed) {
                drop(by_client);
                self.open.fetch_sub(1, Relaxed);
                return Err(Full::Client);
            }
            by_client.insert(key, next);
        }
        Ok(Counted { census: self.clone(), client })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.census.open.fetch_sub(1, Relaxed) == 1 {
            self.census.emptied.notify_waiters();
        }
        let Some(key) = self.client else { return };
        let mut by_client = self.census.by_client.lock();
        let left = by_client.get(&key).and_then(|count| NonZeroUsize::new(count.get() - 1));
        match left {
            Some(count) => by_client.insert(key, count),
            None => by_client.remove(&key),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(total: usize, per_client: usize) -> Arc<Census> {
        Census::new(Connections {
            total: NonZeroUsize::new(total).unwrap(),
            per_client: NonZeroUsize::new(per_client).unwrap(),
        })
    }

    #[test]
    fn caps_hold_and_places_come_back() {
        let census = census(3, 2);
        let (one, two) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = census.enter(Some(one)).unwrap();
        let _second = census.enter(Some(one)).unwrap();
        assert_eq!(census.enter(Some(one)).unwrap_err(), Full::Client);
        let third = census.enter(Some(two)).unwrap();
        assert_eq!(census.enter(None).unwrap_err(), Full::Total);
        drop(third);
        drop(first);
        assert_eq!(census.open(), 1);
        assert!(census.enter(Some(one)).is_ok());
        assert_eq!(census.by_client.lock().len(), 1, "who has left is forgotten");
    }

    #[test]
    fn a_port_that_somebody_has_is_refused_even_between_gateways() {
        let any = ListenAddr(SocketAddr::from(([127, 0, 0, 1], 0)));
        let first = bind("https", any, 2).unwrap();
        let taken = ListenAddr(first[0].local_addr().unwrap());
        assert_eq!(first[1].local_addr().unwrap(), taken.0);
        let error = bind("https", taken, 2).unwrap_err();
        assert_eq!(error.source.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().contains("ss -ltnp"), "{error}");
    }

    fn on_loopback(shared: bool) -> Socket {
        open(SocketAddr::from(([127, 0, 0, 1], 0)), shared).unwrap()
    }

    #[tokio::test]
    async fn who_came_before_the_door_was_closed_is_served() {
        let socket = on_loopback(false);
        let address = local_addr(&socket).unwrap();
        let listener = TcpListener::from_std(socket.into()).unwrap();
        let (stop, door) = (Stop::new(), Stop::new());
        // The runtime has no chance to notice them: it does not run meanwhile.
        let clients = [(); 3].map(|()| std::net::TcpStream::connect(address).unwrap());
        door.advance(Stage::Draining);
        let mut served = Vec::new();
        accept_all(listener, &stop, &door, |_tcp, peer| served.push(peer), || ()).await;
        assert_eq!(served, clients.map(|client| client.local_addr().unwrap()));
    }

    #[test]
    fn who_knocks_while_a_socket_closes_is_let_in_by_the_next() {
        let leaving = on_loopback(true);
        let address = local_addr(&leaving).unwrap();
        let next = open(SocketAddr::from(([0, 0, 0, 0], address.port())), true).unwrap();
        let leaving = leaving.into();
        ignore_newcomers(&leaving);
        let client = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
        client.set_nonblocking(true).unwrap();
        let knocked = client.connect(&address.into()).unwrap_err();
        assert_eq!(knocked.raw_os_error(), Some(rustix::io::Errno::INPROGRESS.raw_os_error()));
        drop(leaving);
        next.set_nonblocking(false).unwrap();
        // How long accept waits, too (socket(7)).
        next.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let (_tcp, peer) = next.accept().unwrap();
        assert_eq!(peer.as_socket(), Some(local_addr(&client).unwrap()));
    }
}
