//! Ports of loopback for programs that cannot be told to take a free one and say which.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;

/// Below the ports that the system gives to clients and to listeners on port 0: what is chosen here
/// can be taken meanwhile by nobody but another such choice, and after a stop it is free again.
const RANGE: RangeInclusive<u16> = 20_000..=31_999;

/// The addresses of pebble and its DNS server.
pub(crate) struct Ports {
    /// The ACME API.
    pub(crate) directory: SocketAddr,
    /// Pebble's management API.
    pub(crate) management: SocketAddr,
    /// DNS, UDP and TCP.
    pub(crate) dns: SocketAddr,
    /// The DNS server's management API.
    pub(crate) names: SocketAddr,
}

impl Ports {
    /// Ports that are free now. Another program may take one before pebble does; whoever starts
    /// pebble has to see that, and choose again.
    pub(crate) fn choose() -> Self {
        // All are held until the last is chosen, so that they differ.
        let held = [(); 4].map(|()| Held::take());
        let [directory, management, dns, names] = held.each_ref().map(|held| held.addr);
        Self { directory, management, dns, names }
    }
}

struct Held {
    addr: SocketAddr,
    _tcp: TcpListener,
    _udp: UdpSocket,
}

impl Held {
    fn take() -> Self {
        loop {
            let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, any_port()));
            if let (Ok(tcp), Ok(udp)) = (TcpListener::bind(addr), UdpSocket::bind(addr)) {
                return Self { addr, _tcp: tcp, _udp: udp };
            }
        }
    }
}

fn any_port() -> u16 {
    let random = RandomState::new().hash_one(std::process::id());
    let offset = random % u64::from(RANGE.end() - RANGE.start() + 1);
    RANGE.start() + u16::try_from(offset).unwrap()
}
