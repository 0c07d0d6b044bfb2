//! Every address that an upstream's servers have now. Built anew when DNS changes; what stays keeps
//! its state.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use gateway_config::model;

use super::names::Name;
use super::rendezvous;
use super::standing::{Standing, now};
use super::sticky::{StickyKey, Token};

/// One of an upstream's servers, as the file lists it.
pub(super) struct Server {
    /// As the configuration wrote it; what metrics call it.
    pub(super) label: Arc<str>,
    pub(super) place: Place,
    /// The name that its certificate must be for.
    tls_name: Option<rustls_pki_types::ServerName<'static>>,
    weight: u32,
    backup: bool,
}

/// Where a server is.
pub(super) enum Place {
    Fixed(Peer),
    Named { name: Arc<Name>, port: u16 },
}

/// The address of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peer {
    Ip(SocketAddr),
    Unix(PathBuf),
}

/// One address of a server: what requests go to.
#[derive(Debug)]
pub(crate) struct Member {
    /// Never given twice in one process.
    pub(super) id: u64,
    /// The server that it is an address of, by its place in the list.
    pub(super) server: usize,
    /// What logs call it: the server as the configuration wrote it, and the address of a name.
    pub(super) label: Arc<str>,
    pub(super) peer: Peer,
    pub(super) tls_name: Option<rustls_pki_types::ServerName<'static>>,
    pub(super) weight: u32,
    backup: bool,
    /// Where it stands among the others for any key (see [`rendezvous`]).
    pub(super) hash: u64,
    /// What a client's cookie says that belongs to it.
    pub(super) token: Option<Token>,
    pub(super) standing: Standing,
    /// Requests under way, where anybody wants to know.
    pub(super) in_flight: AtomicU32,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) first: Tier,
    /// Asked while nobody else can be.
    pub(super) backups: Tier,
    /// Whether one may be left out, so that it is worth looking which.
    pub(super) troubled: AtomicBool,
}

/// Members that are asked in turn.
#[derive(Debug, Default)]
pub(super) struct Tier {
    pub(super) list: Vec<Arc<Member>>,
    /// Places in the list, each as often as its weight says, and spread evenly.
    pub(super) order: Vec<usize>,
}

impl Server {
    pub(super) fn new(
        server: &model::UpstreamServer,
        sni: Option<&model::Host>,
        name: impl FnOnce(&model::Host) -> Arc<Name>,
    ) -> Self {
        use rustls_pki_types::ServerName;
        let named = |host: &model::Host| ServerName::try_from(host.as_str().to_owned()).ok();
        let (place, own_name) = match &server.endpoint {
            model::Endpoint::Addr(addr) => {
                let name = ServerName::IpAddress(addr.ip().into());
                (Place::Fixed(Peer::Ip(*addr)), Some(name))
            }
            model::Endpoint::Unix(path) => (Place::Fixed(Peer::Unix(PathBuf::clone(path))), None),
            model::Endpoint::Name { host, port } => {
                (Place::Named { name: name(host), port: *port }, named(host))
            }
        };
        Self {
            label: server.endpoint.to_string().into(),
            place,
            tls_name: sni.map_or(own_name, named),
            weight: server.weight.get(),
            backup: server.backup,
        }
    }

    /// Its addresses, in an order that does not depend on the name server's mood.
    fn peers(&self) -> Vec<Peer> {
        match &self.place {
            Place::Fixed(peer) => vec![peer.clone()],
            Place::Named { name, port } => {
                let known = name.known().unwrap_or_default();
                known.iter().map(|ip: &IpAddr| Peer::Ip((*ip, *port).into())).collect()
            }
        }
    }

    fn label_of(&self, peer: &Peer) -> Arc<str> {
        match (&self.place, peer) {
            (Place::Named { .. }, Peer::Ip(addr)) => format!("{} ({addr})", self.label).into(),
            _ => self.label.clone(),
        }
    }
}

impl Members {
    /// What the servers have now; of `old`, what is still there. `sticky`: what cookies are made with.
    pub(super) fn of(servers: &[Server], old: &Self, sticky: Option<&StickyKey>) -> Self {
        let mut list = Vec::new();
        for (index, server) in servers.iter().enumerate() {
            for peer in server.peers() {
                let known = old.iter().find(|known| known.server == index && known.peer == peer);
                let made = || Arc::new(Member::new(server, index, peer, old, sticky));
                list.push(known.cloned().unwrap_or_else(made));
            }
        }
        let (backups, first): (Vec<_>, Vec<_>) = list.into_iter().partition(|one| one.backup);
        Self { first: Tier::of(first), backups: Tier::of(backups), troubled: AtomicBool::new(true) }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.first.list.iter().chain(&self.backups.list)
    }

    pub(super) fn len(&self) -> usize {
        self.first.list.len() + self.backups.list.len()
    }
}

impl Member {
    fn new(
        server: &Server,
        index: usize,
        peer: Peer,
        old: &Members,
        sticky: Option<&StickyKey>,
    ) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let label = server.label_of(&peer);
        Self {
            id: NEXT_ID.fetch_add(1, Relaxed),
            server: index,
            hash: rendezvous::hash(label.as_bytes()),
            token: sticky.map(|key| key.token(&label)),
            peer,
            tls_name: server.tls_name.clone(),
            weight: server.weight,
            backup: server.backup,
            standing: match old.len() {
                0 => Standing::default(),
                _ => Standing::newcomer(now()),
            },
            label,
            in_flight: AtomicU32::new(0),
        }
    }

    /// Counts one more request, where it has fewer than `most` under way.
    pub(super) fn enter(&self, most: Option<u32>) -> bool {
        let room = |count: u32| (most.is_none_or(|most| count < most)).then_some(count + 1);
        self.in_flight.fetch_update(SeqCst, SeqCst, room).is_ok()
    }

    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, SeqCst);
    }
}

impl Tier {
    fn of(list: Vec<Arc<Member>>) -> Self {
        let weights: Vec<u32> = list.iter().map(|member| member.weight).collect();
        Self { order: spread(&weights), list }
    }
}

/// Each place as often as its weight says, spread evenly: of all that are owed a turn, the one that
/// is owed most has it.
fn spread(weights: &[u32]) -> Vec<usize> {
    let common = weights.iter().copied().reduce(gcd).unwrap_or(1).max(1);
    let weights: Vec<i64> = weights.iter().map(|weight| i64::from(weight / common)).collect();
    let total: i64 = weights.iter().sum();
    let mut owed = vec![0; weights.len()];
    let turn = |_| {
        owed.iter_mut().zip(&weights).for_each(|(owed, weight)| *owed += weight);
        let most = (0..owed.len()).rev().max_by_key(|place| owed[*place]).unwrap_or(0);
        owed[most] -= total;
        most
    };
    (0..total).map(turn).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_spread_by_weight() {
        assert_eq!(spread(&[1, 1, 1]), [0, 1, 2]);
        assert_eq!(spread(&[100, 100]), [0, 1]);
        assert_eq!(spread(&[5, 1, 1]), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(spread(&[2, 1]), [0, 1, 0]);
        assert_eq!(spread(&[7]), [0]);
        assert!(spread(&[]).is_empty());
    }
}
