//! The gateway as a whole: built from a configuration, bound, run, stopped.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use gateway_acme::dns::Resolver;
use gateway_acme::{Keeper, Responder};
use gateway_certs::Slots;
use gateway_config::model::{Config, ListenAddr};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::accept::{self, BindError, Census};
use crate::access_log::AccessLog;
use crate::acme;
use crate::connection::Listener;
use crate::journal;
use crate::metrics::{AcmeMetrics, Metrics};
use crate::serve;
use crate::snapshot::{BuildError, Lasting, Snapshot};
use crate::stop::{FAREWELL, Stage, Stop};
use crate::upstream::Pool;
use crate::worker::{Shared, Worker};

/// How often kept connections to upstreams are looked at.
const SWEEP: Duration = Duration::from_secs(15);

/// After certificates could not be renewed: how long until the next attempt.
const RENEW_AGAIN: Duration = Duration::from_secs(3600);

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be served.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A listener could not be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system gave no thread, timer or event queue.
    #[error("the system does not let the gateway start: {0}")]
    System(#[from] io::Error),
}

/// A gateway, built and bound, that serves once it is [run](Self::run).
///
/// ```no_run
/// let loaded = gateway_config::load("gateway.toml".as_ref())?;
/// let gateway = gateway::Gateway::bind(loaded.config)?;
/// let handle = gateway.handle();
/// std::thread::spawn(move || {
///     std::io::stdin().read_line(&mut String::new()).ok();
///     handle.stop();
/// });
/// gateway.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Gateway {
    config: Config,
    lasting: Lasting,
    shared: Arc<Shared>,
    /// Where a site's certificates come by ACME.
    keeper: Option<Keeper>,
    /// One list for each worker.
    sockets: Vec<Vec<(Listener, std::net::TcpListener)>>,
    admin: Option<std::net::TcpListener>,
    addresses: Vec<(&'static str, SocketAddr)>,
}

/// Stops a gateway from another thread.
#[derive(Clone)]
pub struct Handle(Stop);

impl Handle {
    /// Asks the gateway to stop: it accepts nothing more, lets what is going on end for as long as
    /// `drain` allows, and then [`Gateway::run`] returns. Asking twice changes nothing.
    pub fn stop(&self) {
        self.0.advance(Stage::Draining);
    }
}

impl Gateway {
    /// Builds everything that `config` says and binds its listeners. Nothing is served yet.
    ///
    /// # Errors
    /// [`StartError`]: certificates, upstreams' certificates, sockets, threads.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        let metrics = Metrics::new().map_err(BuildError::Metrics)?;
        let tickets = gateway_certs::ticketer().map_err(BuildError::Tls)?;
        let lasting = Lasting { metrics: metrics.clone(), tickets, slots: Slots::default() };
        let responder = Arc::new(Responder::default());
        let told = AcmeMetrics::new(&metrics);
        // First, so that what was won before is served from the first handshake on.
        let keeper =
            acme::open(&config, &lasting.slots, &responder, told).map_err(BuildError::Acme)?;
        let snapshot = Snapshot::build(&config, &lasting)?;
        let server = &config.server;
        let workers = server.workers.map_or_else(cores, NonZeroUsize::get);
        let mut sockets: Vec<_> = (0..workers).map(|_| Vec::new()).collect();
        let mut addresses = Vec::new();
        let public = server.http.iter().map(|address| (Listener::Http, *address));
        let public = public.chain(server.https.iter().map(|address| (Listener::Https, *address)));
        for (listener, address) in public {
            let bound = accept::bind(listener.name(), address, workers)?;
            if let Some(first) = bound.first() {
                addresses.push((listener.name(), first.local_addr()?));
            }
            sockets
                .iter_mut()
                .zip(bound)
                .for_each(|(worker, socket)| worker.push((listener, socket)));
        }
        let admin = server.admin.map(bind_admin).transpose()?;
        if let Some(socket) = &admin {
            addresses.push((Listener::Admin.name(), socket.local_addr()?));
        }
        let https = addresses.iter().find(|(listener, _)| *listener == Listener::Https.name());
        let dropped = metrics.log_dropped.clone();
        let shared = Shared {
            access_log: AccessLog::start(server.access_log, dropped, io::stdout())?,
            census: Census::new(server.connections),
            stop: Stop::new(),
            responder,
            https_port: https.map(|(_, address)| address.port()),
            workers,
            listening: AtomicUsize::new(0),
            snapshot: ArcSwap::from_pointee(snapshot),
            metrics,
        };
        Ok(Self { config, lasting, shared: Arc::new(shared), keeper, sockets, admin, addresses })
    }

    /// The addresses that are listened on, with the listener's name: `http`, `https` or `admin`.
    /// Where the configuration asked for port 0, here is the port that the system chose.
    #[must_use]
    pub fn addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.addresses
    }

    /// The root certificate of the local CA, where a site is self-signed.
    #[must_use]
    pub fn local_ca(&self) -> Option<Arc<gateway_certs::LocalCa>> {
        self.shared.snapshot.load().certificates.local_ca.clone()
    }

    /// What stops the gateway.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.shared.stop.clone())
    }

    /// Serves until [`Handle::stop`] is called and what was going on then has ended, or `drain` has
    /// passed. Must not be called from within a tokio runtime: it brings its own.
    ///
    /// # Errors
    /// [`StartError::System`], where the system gives no thread or event queue.
    pub fn run(mut self) -> Result<(), StartError> {
        let control = runtime()?;
        let stop = self.shared.stop.clone();
        let mut threads = self.start_workers().inspect_err(|_| stop.advance(Stage::Ended))?;
        // Now there is somebody to answer a CA that comes to look.
        if let Some(keeper) = self.keeper.take() {
            let thread = acme::start(keeper, stop.clone());
            threads.push(thread.inspect_err(|_| stop.advance(Stage::Ended))?);
        }
        journal::info("ready", "ready", &[("version", &env!("CARGO_PKG_VERSION"))]);
        let outcome = control.block_on(self.oversee());
        stop.advance(Stage::Ended);
        for thread in threads {
            if thread.join().is_err() {
                journal::error("panic", "a thread has panicked; what it did was cut off", &[]);
            }
        }
        outcome
    }

    /// Starts the workers, and returns once each of them accepts connections. The sockets go with
    /// them: when a worker stops accepting, its sockets close.
    fn start_workers(&mut self) -> Result<Vec<JoinHandle<()>>, StartError> {
        let (started, starting) = mpsc::channel();
        let mut threads = Vec::with_capacity(self.sockets.len());
        for (index, sockets) in std::mem::take(&mut self.sockets).into_iter().enumerate() {
            let worker = Arc::new(Worker { shared: self.shared.clone(), pool: Pool::default() });
            let (runtime, started) = (runtime()?, started.clone());
            let thread = std::thread::Builder::new().name(format!("worker-{index}"));
            threads.push(thread.spawn(move || runtime.block_on(worker.work(sockets, started)))?);
        }
        drop(started);
        for listening in starting {
            listening?;
        }
        Ok(threads)
    }

    /// What is done once for all workers: names, renewals, the admin listener, and the stop.
    async fn oversee(&mut self) -> Result<(), StartError> {
        let admin = self.admin.take().map(TcpListener::from_std).transpose()?;
        let stop = &self.shared.stop;
        let background = async {
            let snapshot = self.shared.snapshot.load_full();
            let resolver = Arc::new(Resolver::new(&self.config.server.dns));
            tokio::join!(snapshot.names.keep_resolved(resolver), self.keep_certificates());
        };
        if let Some(admin) = admin {
            tokio::spawn(serve_admin(admin, self.shared.clone()));
        }
        tokio::select! {
            () = background => {}
            () = stop.reached(Stage::Draining) => {}
        }
        self.drain().await;
        Ok(())
    }

    async fn drain(&self) {
        let limit = self.config.server.drain;
        let open = self.shared.census.open();
        journal::info(
            "draining",
            "stopping; waiting for requests to end",
            &[("connections", &open), ("for_seconds", &limit.as_secs())],
        );
        let ended = tokio::time::timeout(limit, self.shared.census.emptied()).await;
        self.shared.stop.advance(Stage::Ending);
        if ended.is_err() {
            // WebSockets are being told; whoever does not listen is cut off.
            drop(tokio::time::timeout(FAREWELL * 2, self.shared.census.emptied()).await);
        }
        let cut = self.shared.census.open();
        journal::info("stopped", "stopped", &[("connections_cut_off", &cut)]);
    }

    /// Makes certificates of the local CA anew before they end.
    async fn keep_certificates(&self) {
        loop {
            let snapshot = self.shared.snapshot.load_full();
            let Some(due) = snapshot.certificates.renew_at else {
                return std::future::pending().await;
            };
            tokio::time::sleep(due.duration_since(SystemTime::now()).unwrap_or_default()).await;
            match snapshot.renewed(&self.config, &self.lasting) {
                Ok(renewed) => {
                    self.shared.snapshot.store(Arc::new(renewed));
                    journal::info("renewed", "certificates of the local CA were made anew", &[]);
                }
                Err(error) => {
                    journal::error(
                        "renew",
                        format_args!("cannot renew certificates: {error}"),
                        &[],
                    );
                    tokio::time::sleep(RENEW_AGAIN).await;
                }
            }
        }
    }
}

impl Worker {
    async fn work(
        self: Arc<Self>,
        sockets: Vec<(Listener, std::net::TcpListener)>,
        started: mpsc::Sender<io::Result<()>>,
    ) {
        let listening = sockets.into_iter().try_for_each(|(listener, socket)| {
            let socket = TcpListener::from_std(socket)?;
            tokio::spawn(self.clone().accept(listener, socket));
            io::Result::Ok(())
        });
        self.shared.listening.fetch_add(usize::from(listening.is_ok()), Relaxed);
        // Whoever started the workers waits for exactly one message of each.
        drop(started.send(listening));
        drop(started);
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                () = self.shared.stop.reached(Stage::Ended) => return,
                _ = sweep.tick() => self.pool.sweep(Instant::now()),
            }
        }
    }

    async fn accept(self: Arc<Self>, listener: Listener, socket: TcpListener) {
        accept::accept_all(socket, &self.shared.stop, |tcp, peer| {
            tokio::spawn(serve::admit(listener, tcp, peer, self.clone()));
        })
        .await;
    }
}

/// Being asked how it goes must still be possible while stopping, so this ends with the process.
async fn serve_admin(admin: TcpListener, shared: Arc<Shared>) {
    let worker = Arc::new(Worker { shared, pool: Pool::default() });
    accept::accept_all(admin, &Stop::new(), |tcp, peer| {
        let (snapshot, worker) = (worker.shared.snapshot.load_full(), worker.clone());
        tokio::spawn(serve::serve(Listener::Admin, tcp, peer, snapshot, worker));
    })
    .await;
}

fn bind_admin(address: ListenAddr) -> Result<std::net::TcpListener, BindError> {
    let mut bound = accept::bind(Listener::Admin.name(), address, 1)?;
    bound.pop().ok_or_else(|| BindError {
        listener: Listener::Admin.name(),
        address: address.0,
        source: io::ErrorKind::AddrNotAvailable.into(),
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Threads of a runtime that may wait for a disk. What is asked for beyond them waits for its turn.
const DISK_THREADS: usize = 16;

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(DISK_THREADS).build()
}
