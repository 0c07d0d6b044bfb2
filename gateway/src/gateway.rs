//! The gateway as a whole: built from a configuration, bound, run, stopped.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use gateway_acme::{Keeper, Responder};
use gateway_certs::Slots;
use gateway_config::model::Config;
use gateway_config::{LoadError, Loaded};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::accept::{self, BindError, Census};
use crate::access_log::AccessLog;
use crate::acme::{self, Keeping};
use crate::descriptors;
use crate::guard::Guarding;
use crate::journal;
use crate::listeners::{Crew, Listeners, Move, Order};
use crate::metrics::{AcmeMetrics, Metrics};
use crate::oversee::Overseer;
use crate::reload::{Request, Requests, Source};
use crate::serve;
use crate::shard;
use crate::snapshot::{BuildError, Lasting, Snapshot};
use crate::stop::{Stage, Stop};
use crate::upstream::{Names, Pool};
use crate::worker::{Shared, Worker};

/// How often kept connections to upstreams are looked at.
const SWEEP: Duration = Duration::from_secs(15);

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
    #[error("the system does not let the gateway start: {0}{advice}", advice = descriptors::advice(.0))]
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
    /// What is bound, and not yet accepted from.
    bound: Move,
    addresses: Vec<(&'static str, SocketAddr)>,
    requests: UnboundedReceiver<Request>,
    source: Option<Source>,
}

/// Stops a gateway from another thread, or has it read its configuration again.
#[derive(Clone)]
pub struct Handle {
    stop: Stop,
    reloads: Requests,
}

impl Handle {
    /// Asks the gateway to stop: it accepts nothing more, lets what is going on end for as long as
    /// `drain` allows, and then [`Gateway::run`] returns. Asking twice changes nothing.
    pub fn stop(&self) {
        self.stop.advance(Stage::Draining);
    }

    /// Asks the gateway to read its configuration again, from where [`Gateway::reload_from`] said. It
    /// does so beside serving; what came of it stands in the journal. Where anything is wrong, the
    /// configuration that it has is served on.
    pub fn reload(&self) {
        drop(self.reloads.ask());
    }
}

impl Gateway {
    /// Builds everything that `config` says and binds its listeners. Nothing is served yet.
    ///
    /// # Errors
    /// [`StartError`]: certificates, upstreams' certificates, sockets, threads.
    pub fn bind(config: Config) -> Result<Self, StartError> {
        let workers = config.server.workers.map_or_else(cores, NonZeroUsize::get);
        let metrics = Metrics::new(workers).map_err(BuildError::Metrics)?;
        let tickets = gateway_certs::ticketer().map_err(BuildError::Tls)?;
        let (names, slots) = (Arc::new(Names::default()), Slots::default());
        let guarding = Arc::new(Guarding::new().map_err(|_| BuildError::Random)?);
        let lasting = Lasting { metrics: metrics.clone(), tickets, names, slots, guarding };
        let responder = Arc::new(Responder::default());
        let told = AcmeMetrics::new(&metrics);
        // First, so that what was won before is served from the first handshake on.
        let keeper =
            acme::open(&config, &lasting.slots, &responder, told).map_err(BuildError::Acme)?;
        let mut snapshot = Snapshot::build(&config, &lasting, None)?;
        let server = &config.server;
        descriptors::warn_if_few(server.connections);
        let bound = Listeners::default().plan(server, workers)?;
        snapshot.https_port = bound.https_port(server);
        snapshot.announce(&metrics, None);
        metrics.configured(SystemTime::now());
        let dropped = metrics.log_dropped.clone();
        let (reloads, requests) = Requests::new();
        let shared = Shared {
            access_log: AccessLog::start(server.access_log, workers, dropped, io::stdout())?,
            census: Census::new(server.connections),
            stop: Stop::new(),
            responder,
            workers,
            listening: AtomicUsize::new(0),
            serial: AtomicU64::new(snapshot.serial),
            snapshot: ArcSwap::from_pointee(snapshot),
            metrics,
            reloads,
        };
        let addresses = bound.opened.iter().map(|bound| &bound.listening);
        let addresses = addresses.map(|one| (one.listener.name(), one.address)).collect();
        let (shared, source) = (Arc::new(shared), None);
        Ok(Self { config, lasting, shared, keeper, bound, addresses, requests, source })
    }

    /// Where a [reload](Handle::reload) reads the configuration from; without this there is none.
    ///
    /// ```no_run
    /// let load = || gateway_config::load("gateway.toml".as_ref());
    /// let gateway = gateway::Gateway::bind(load()?.config)?.reload_from(load);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn reload_from(
        mut self,
        load: impl Fn() -> Result<Loaded, LoadError> + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Arc::new(load));
        self
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

    /// What stops the gateway, or has it reload.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { stop: self.shared.stop.clone(), reloads: self.shared.reloads.clone() }
    }

    /// Serves until [`Handle::stop`] is called and what was going on then has ended, or `drain` has
    /// passed. Must not be called from within a tokio runtime: it brings its own.
    ///
    /// # Errors
    /// [`StartError::System`], where the system gives no thread or event queue.
    pub fn run(self) -> Result<(), StartError> {
        let control = runtime()?;
        let stop = self.shared.stop.clone();
        let (mut threads, crew) =
            start_workers(&self.shared).inspect_err(|_| stop.advance(Stage::Ended))?;
        let keeping = Keeping::new(&self.config, stop.clone());
        let mut overseer = Overseer {
            config: Arc::new(self.config),
            lasting: Arc::new(self.lasting),
            shared: self.shared,
            source: self.source,
            requests: self.requests,
            listeners: Listeners::default(),
            crew,
            keeping,
        };
        let outcome = control.block_on(async {
            overseer.begin(self.bound, self.keeper).await?;
            journal::info("ready", "ready", &[("version", &env!("CARGO_PKG_VERSION"))]);
            overseer.oversee().await;
            Ok(())
        });
        stop.advance(Stage::Ended);
        threads.extend(overseer.keeping.into_thread());
        for thread in threads {
            if thread.join().is_err() {
                journal::error("panic", "a thread has panicked; what it did was cut off", &[]);
            }
        }
        outcome
    }
}

/// Starts the workers, which accept nothing before they are given sockets.
fn start_workers(shared: &Arc<Shared>) -> Result<(Vec<JoinHandle<()>>, Crew), StartError> {
    let (mut threads, mut crew) = (Vec::new(), Crew::new());
    for index in 0..shared.workers {
        let worker = Arc::new(Worker { shared: shared.clone(), pool: Pool::default() });
        let (orders, given) = unbounded_channel();
        let runtime = runtime()?;
        let thread = std::thread::Builder::new().name(format!("worker-{index}"));
        threads.push(thread.spawn(move || {
            shard::assign(index);
            runtime.block_on(worker.work(given));
        })?);
        crew.push(orders);
    }
    Ok((threads, crew))
}

impl Worker {
    async fn work(self: Arc<Self>, mut orders: UnboundedReceiver<Order>) {
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                () = self.shared.stop.reached(Stage::Ended) => return,
                _ = sweep.tick() => self.pool.sweep(Instant::now()),
                Some(order) = orders.recv() => self.listen(order),
            }
        }
    }

    /// Accepts from further sockets, which close when it stops to.
    fn listen(self: &Arc<Self>, Order { sockets, accepting }: Order) {
        let listening = sockets.into_iter().try_for_each(|socket| {
            let (listener, socket, door) = socket.into_tokio()?;
            let worker = self.clone();
            tokio::spawn(async move {
                let stop = &worker.shared.stop;
                let serve = |tcp, peer| {
                    let (worker, door) = (worker.clone(), door.clone());
                    tokio::spawn(serve::admit(listener, tcp, peer, worker, door));
                };
                accept::accept_all(socket, stop, &door, serve, || worker.pool.empty()).await;
            });
            io::Result::Ok(())
        });
        // Whoever gave the order waits for exactly this.
        drop(accepting.send(listening));
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Threads of a runtime that may wait for a disk. What is asked for beyond them waits for its turn.
const DISK_THREADS: usize = 16;

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(DISK_THREADS).build()
}
