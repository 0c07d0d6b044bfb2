//! What is listened on: bound before anything is published, handed to the workers, and given up when
//! a configuration no longer names it.

use std::net::{IpAddr, SocketAddr};

use gateway_config::model::{ListenAddr, Server};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::accept::{self, BindError};
use crate::connection::Listener;
use crate::stop::{Stage, Stop};

/// One address that is listened on.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    pub(crate) listener: Listener,
    /// As the configuration says it; port 0 stands for one that the system chooses.
    asked: ListenAddr,
    pub(crate) address: SocketAddr,
    /// Begins to drain when the address is given up.
    door: Stop,
}

/// Sockets that are bound and that nobody accepts from yet: one for each worker, or one alone for the
/// admin listener.
pub(crate) struct Bound {
    pub(crate) listening: Listening,
    sockets: Vec<std::net::TcpListener>,
}

/// Sockets for one worker.
pub(crate) struct Order {
    pub(crate) sockets: Vec<Socket>,
    /// Told once the worker accepts from all of them.
    pub(crate) accepting: oneshot::Sender<std::io::Result<()>>,
}

/// A socket to accept from, until its door is closed.
pub(crate) struct Socket {
    pub(crate) listener: Listener,
    pub(crate) socket: std::net::TcpListener,
    pub(crate) door: Stop,
}

/// The workers, as far as they are given sockets.
pub(crate) type Crew = Vec<mpsc::UnboundedSender<Order>>;

/// Everything that is listened on.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Vec<Listening>);

/// What another configuration changes about them.
pub(crate) struct Move {
    kept: Vec<Listening>,
    pub(crate) opened: Vec<Bound>,
    pub(crate) closed: Vec<Listening>,
}

impl Listeners {
    /// Binds what `server` names and is not listened on yet. Nothing that is there is touched.
    ///
    /// # Errors
    /// [`BindError`] of the first address that cannot be had.
    pub(crate) fn plan(&self, server: &Server, workers: usize) -> Result<Move, BindError> {
        let mut closed = self.0.clone();
        let (mut kept, mut missing) = (Vec::new(), Vec::new());
        for (listener, asked) in wanted(server) {
            // A port that the system chose may be written down afterwards.
            let same = |one: &Listening| {
                one.listener == listener && (one.asked == asked || one.address == asked.0)
            };
            match closed.iter().position(same) {
                Some(index) => kept.push(Listening { asked, ..closed.remove(index) }),
                None => missing.push((listener, asked)),
            }
        }
        let bind = |(listener, asked)| Bound::new(listener, asked, workers, &closed);
        let opened = missing.into_iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Move { kept, opened, closed })
    }

    /// What was planned holds: new addresses are listened on, others are given up. Who is connected to
    /// those goes on, and is asked to come back by another.
    pub(crate) fn commit(&mut self, plan: Move, server: &Server) {
        for one in &plan.closed {
            one.door.advance(Stage::Draining);
        }
        let opened = plan.opened.into_iter().map(|bound| bound.listening);
        let mut left: Vec<_> = plan.kept.into_iter().chain(opened).collect();
        // In the order of the configuration, whose first TLS listener is the one that counts.
        self.0 = wanted(server)
            .filter_map(|(listener, asked)| {
                let same = |one: &Listening| one.listener == listener && one.asked == asked;
                left.iter().position(same).map(|index| left.remove(index))
            })
            .collect();
    }
}

impl Move {
    /// The port of what will be the first TLS listener, to which the plain one sends everybody.
    pub(crate) fn https_port(&self, server: &Server) -> Option<u16> {
        let asked = *server.https.first()?;
        let opened = self.opened.iter().map(|bound| &bound.listening);
        let mut all = self.kept.iter().chain(opened);
        let first = all.find(|one| one.listener == Listener::Https && one.asked == asked)?;
        Some(first.address.port())
    }

    /// The new admin listener's socket, where there is one.
    pub(crate) fn take_admin(&mut self) -> Option<Socket> {
        let is_admin = |bound: &&mut Bound| bound.listening.listener == Listener::Admin;
        self.opened.iter_mut().find(is_admin)?.take_socket()
    }

    /// Gives every worker its sockets, and returns once all accept from them.
    ///
    /// # Errors
    /// The system's, where a socket cannot be waited for; then none is accepted from any more.
    pub(crate) async fn hand_out(&mut self, crew: &Crew) -> std::io::Result<()> {
        let mut started = Vec::with_capacity(crew.len());
        for worker in crew {
            let public = |bound: &&mut Bound| bound.listening.listener != Listener::Admin;
            let sockets = self.opened.iter_mut().filter(public).filter_map(Bound::take_socket);
            let (accepting, accepts) = oneshot::channel();
            // A worker that has gone drops the sender too, which is seen below.
            drop(worker.send(Order { sockets: sockets.collect(), accepting }));
            started.push(accepts);
        }
        for accepts in started {
            let gone = |_| std::io::Error::other("a worker thread has ended");
            if let Err(error) = accepts.await.map_err(gone).flatten() {
                self.abandon();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Closes what was opened.
    fn abandon(&self) {
        for bound in &self.opened {
            bound.listening.door.advance(Stage::Draining);
        }
    }
}

impl Bound {
    fn new(
        listener: Listener,
        asked: ListenAddr,
        workers: usize,
        closing: &[Listening],
    ) -> Result<Self, BindError> {
        let sockets = if listener == Listener::Admin { 1 } else { workers };
        let is_ours = closing.iter().any(|one| overlap(one.address, asked.0));
        let bind = if is_ours { accept::bind_beside } else { accept::bind };
        let sockets = bind(listener.name(), asked, sockets)?;
        let failed = |source| BindError { listener: listener.name(), address: asked.0, source };
        let first = sockets.first().ok_or(std::io::ErrorKind::AddrNotAvailable.into());
        let address = first.and_then(std::net::TcpListener::local_addr).map_err(failed)?;
        let door = Stop::new();
        Ok(Self { listening: Listening { listener, asked, address, door }, sockets })
    }

    fn take_socket(&mut self) -> Option<Socket> {
        let Listening { listener, door, .. } = &self.listening;
        let socket = self.sockets.pop()?;
        Some(Socket { listener: *listener, socket, door: door.clone() })
    }
}

impl Socket {
    /// The same for the runtime that this is called in.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn into_tokio(self) -> std::io::Result<(Listener, TcpListener, Stop)> {
        Ok((self.listener, TcpListener::from_std(self.socket)?, self.door))
    }
}

fn wanted(server: &Server) -> impl Iterator<Item = (Listener, ListenAddr)> {
    let each = |listener, list: &'_ [ListenAddr]| {
        list.iter().map(move |address| (listener, *address)).collect::<Vec<_>>()
    };
    let (http, https) = (each(Listener::Http, &server.http), each(Listener::Https, &server.https));
    let admin = server.admin.map(|address| (Listener::Admin, address));
    http.into_iter().chain(https).chain(admin)
}

/// Whether nobody but us can be in the way: the port is ours, at the same address or at all of them.
fn overlap(ours: SocketAddr, wanted: SocketAddr) -> bool {
    let any = |ip: IpAddr| ip.is_unspecified();
    let same = ours.ip() == wanted.ip() || any(ours.ip()) || any(wanted.ip());
    same && ours.port() == wanted.port()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(https: &[&str]) -> Server {
        let text = format!(
            "[server]\nhttp = []\nhttps = {https:?}\nadmin = \"off\"\n\
             [site.\"a.test\"]\ntls = \"self-signed\"\nredirect = \"https://b.test\"\n"
        );
        gateway_config::parse("gateway.toml", &text, "".as_ref()).unwrap().config.server
    }

    #[test]
    fn what_is_named_again_is_kept_and_the_rest_is_opened_and_closed() {
        let (first, second) =
            (server(&["127.0.0.1:0", "127.0.0.2:0"]), server(&["127.0.0.3:0", "127.0.0.1:0"]));
        let mut listeners = Listeners::default();
        let plan = listeners.plan(&first, 2).unwrap();
        assert_eq!((plan.kept.len(), plan.opened.len(), plan.closed.len()), (0, 2, 0));
        listeners.commit(plan, &first);
        let before: Vec<_> = listeners.0.iter().map(|one| one.address).collect();

        let plan = listeners.plan(&second, 2).unwrap();
        assert_eq!((plan.kept.len(), plan.opened.len(), plan.closed.len()), (1, 1, 1));
        assert_eq!(plan.closed[0].address, before[1]);
        let port = plan.opened[0].listening.address.port();
        assert_eq!(plan.https_port(&second), Some(port), "the first that is named counts");
        let gone = plan.closed[0].door.clone();
        assert_eq!(gone.stage(), Stage::Running);
        listeners.commit(plan, &second);
        assert_eq!(gone.stage(), Stage::Draining);
        let after: Vec<_> = listeners.0.iter().map(|one| one.address).collect();
        assert_eq!((after[0].port(), after[1]), (port, before[0]));
    }

    #[test]
    fn a_port_of_ours_may_be_taken_by_another_address_of_ours_and_by_nobody_elses() {
        let mut listeners = Listeners::default();
        let first = server(&["127.0.0.1:0"]);
        let plan = listeners.plan(&first, 1).unwrap();
        let port = plan.opened[0].listening.address.port();
        // The sockets are still bound: workers would have them now.
        let held: Vec<_> = plan.opened.into_iter().map(|bound| bound.sockets).collect();
        listeners.0 = vec![Listening {
            listener: Listener::Https,
            asked: ListenAddr(([127, 0, 0, 1], port).into()),
            address: ([127, 0, 0, 1], port).into(),
            door: Stop::new(),
        }];
        let everywhere = server(&[&format!("0.0.0.0:{port}")]);
        assert!(listeners.plan(&everywhere, 1).is_ok());
        let error = Listeners::default().plan(&everywhere, 1).err().unwrap();
        assert_eq!(error.source.kind(), std::io::ErrorKind::AddrInUse);
        drop(held);
    }
}
