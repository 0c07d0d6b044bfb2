//! What is done once for all workers, on the main thread: names are followed, certificates renewed,
//! the admin listener is served, configurations are reloaded, and the stop is waited for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use gateway_acme::Keeper;
use gateway_acme::dns::Resolver;
use gateway_config::Loaded;
use gateway_config::model::Config;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::AbortHandle;

use crate::accept;
use crate::acme::{self, Keeping, Successor};
use crate::connection::Listener;
use crate::descriptors;
use crate::gateway::StartError;
use crate::journal;
use crate::listeners::{Crew, Listeners, Listening, Move, Socket};
use crate::metrics::AcmeMetrics;
use crate::reload::{self, Changes, Outcome, Refusal, Reloaded, Request, Source};
use crate::serve;
use crate::snapshot::{BuildError, Lasting, Snapshot};
use crate::stop::{FAREWELL, Stage, Stop};
use crate::upstream::Pool;
use crate::worker::{Shared, Worker};

/// After certificates could not be renewed: how long until the next attempt.
const RENEW_AGAIN: Duration = Duration::from_secs(3600);

/// Whoever oversees.
pub(crate) struct Overseer {
    pub(crate) config: Arc<Config>,
    pub(crate) lasting: Arc<Lasting>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) source: Option<Source>,
    pub(crate) requests: UnboundedReceiver<Request>,
    pub(crate) listeners: Listeners,
    pub(crate) crew: Crew,
    pub(crate) keeping: Keeping,
}

/// Everything that a new configuration takes, had before any of it is used.
struct Prepared {
    config: Config,
    snapshot: Snapshot,
    moves: Move,
    keeper: Option<Successor>,
}

impl Overseer {
    /// Has everybody begin: the workers accept, the admin listener is served, and then there is
    /// somebody to answer a CA that comes to look.
    ///
    /// # Errors
    /// [`StartError::System`].
    pub(crate) async fn begin(
        &mut self,
        mut bound: Move,
        keeper: Option<Keeper>,
    ) -> Result<(), StartError> {
        self.serve_admin(bound.take_admin())?;
        bound.hand_out(&self.crew).await?;
        self.shared.listening.store(self.shared.workers, Relaxed);
        self.listeners.commit(bound, &self.config.server);
        self.keeping.prepare(keeper.is_some())?;
        self.keeping.hand_over(Successor::new(&self.config, keeper));
        Ok(())
    }

    /// Oversees until a stop has ended.
    pub(crate) async fn oversee(&mut self) {
        let lasting = self.lasting.clone();
        lasting.names.ask(Resolver::new(&self.config.server.dns));
        tokio::spawn(async move { lasting.names.keep_resolved().await });
        let mut background = self.begin_background();
        let stop = self.shared.stop.clone();
        loop {
            tokio::select! {
                () = stop.reached(Stage::Draining) => break,
                // The sender is in `self`, so there is always a next one.
                Some(request) = self.requests.recv() => {
                    let outcome = Arc::new(self.reload().await);
                    if matches!(*outcome, Outcome::Reloaded(_)) {
                        background.abort();
                        background = self.begin_background();
                    }
                    tell(&outcome);
                    self.shared.metrics.count_reload(outcome.name());
                    // Whoever asked by a signal does not wait.
                    drop(request.send(outcome));
                }
            }
        }
        self.drain().await;
    }

    /// Begins to renew the certificates of what is served now.
    fn begin_background(&self) -> AbortHandle {
        let (shared, config, lasting) =
            (self.shared.clone(), self.config.clone(), self.lasting.clone());
        let background =
            tokio::spawn(async move { keep_certificates(&shared, &config, &lasting).await });
        background.abort_handle()
    }

    /// Serves the admin listener on this thread.
    ///
    /// # Errors
    /// The system's, where the socket cannot be waited for.
    pub(crate) fn serve_admin(&self, socket: Option<Socket>) -> io::Result<()> {
        let Some(socket) = socket else { return Ok(()) };
        let (_, admin, door) = socket.into_tokio()?;
        let worker = Arc::new(Worker { shared: self.shared.clone(), pool: Pool::default() });
        tokio::spawn(async move {
            // Being asked how it goes must still be possible while stopping, so this ends with the
            // process, unless its address is given up.
            let never = Stop::new();
            let serve = |tcp, peer| {
                let (snapshot, worker) = (worker.shared.snapshot.load_full(), worker.clone());
                let door = door.clone();
                tokio::spawn(serve::serve(Listener::Admin, tcp, peer, snapshot, worker, door));
            };
            accept::accept_all(admin, &never, &door, serve, || ()).await;
        });
        Ok(())
    }

    /// Reads the configuration again, and serves it where nothing is wrong with it.
    async fn reload(&mut self) -> Outcome {
        let Some(source) = self.source.clone() else { return Outcome::Refused(Refusal::NoFile) };
        let loaded = off_thread(move || Ok(source())).await;
        let Loaded { config, warnings, .. } = match loaded {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => return Outcome::Refused(Refusal::File(error.into_problems())),
            Err(error) => return Outcome::Refused(Refusal::Start(error)),
        };
        let changes = Changes::between(&self.config, &config);
        let server = reload::feasible(&self.config.server, &config.server);
        match self.prepare(Config { server, ..config }).await {
            Ok(prepared) => Outcome::Reloaded(Box::new(self.publish(prepared, changes, warnings))),
            Err(error) => Outcome::Refused(Refusal::Start(error)),
        }
    }

    /// Everything that can fail, and nothing that anybody notices.
    async fn prepare(&mut self, config: Config) -> Result<Prepared, StartError> {
        let keeper = self.successor(&config)?;
        let (lasting, before) = (self.lasting.clone(), self.shared.snapshot.load_full());
        let built = off_thread(move || {
            let snapshot = Snapshot::build(&config, &lasting, Some(&before))?;
            Ok((config, snapshot))
        });
        let (config, mut snapshot) = built.await?;
        let mut moves = self.listeners.plan(&config.server, self.shared.workers)?;
        snapshot.https_port = moves.https_port(&config.server);
        let admin = moves.take_admin();
        self.serve_admin(admin)?;
        moves.hand_out(&self.crew).await?;
        Ok(Prepared { config, snapshot, moves, keeper })
    }

    /// Who keeps certificates from now on, where that is another. What was won before for names that
    /// are new is served from their first handshake on.
    fn successor(&mut self, config: &Config) -> Result<Option<Successor>, StartError> {
        if !self.keeping.wants_other(config) {
            return Ok(None);
        }
        let (slots, responder) = (&self.lasting.slots, &self.shared.responder);
        let told = AcmeMetrics::new(&self.shared.metrics);
        let keeper = acme::open(config, slots, responder, told).map_err(BuildError::Acme)?;
        self.keeping.prepare(keeper.is_some())?;
        Ok(Some(Successor::new(config, keeper)))
    }

    /// From here on nothing fails.
    fn publish(
        &mut self,
        prepared: Prepared,
        changes: Changes,
        warnings: gateway_config::Problems,
    ) -> Reloaded {
        let Prepared { config, snapshot, moves, keeper } = prepared;
        let shown = |one: &Listening| format!("{} ({})", one.address, one.listener.name());
        let opened = moves.opened.iter().map(|bound| shown(&bound.listening)).collect();
        let closed = moves.closed.iter().map(shown).collect();
        snapshot.announce(&self.shared.metrics, Some(&self.shared.snapshot.load()));
        self.shared.census.set_caps(config.server.connections);
        if config.server.connections != self.config.server.connections {
            descriptors::warn_if_few(config.server.connections);
        }
        self.shared.publish(snapshot);
        self.listeners.commit(moves, &config.server);
        if let Some(keeper) = keeper {
            self.keeping.hand_over(keeper);
        }
        self.lasting.names.ask(Resolver::new(&config.server.dns));
        self.shared.metrics.configured(SystemTime::now());
        self.config = Arc::new(config);
        Reloaded { changes, warnings, opened, closed }
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
}

/// Does what takes a while beside this thread, which has the admin listener to serve.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    let panicked = |_| StartError::System(io::Error::other("building it panicked; see stderr"));
    tokio::task::spawn_blocking(work).await.map_err(panicked).flatten()
}

/// Makes certificates of the local CA anew before they end.
async fn keep_certificates(shared: &Shared, config: &Config, lasting: &Lasting) {
    loop {
        let snapshot = shared.snapshot.load_full();
        let Some(due) = snapshot.certificates.renew_at else {
            return std::future::pending().await;
        };
        tokio::time::sleep(due.duration_since(SystemTime::now()).unwrap_or_default()).await;
        match snapshot.renewed(config, lasting) {
            Ok(renewed) => {
                renewed.announce(&shared.metrics, None);
                shared.publish(renewed);
                journal::info("renewed", "certificates of the local CA were made anew", &[]);
            }
            Err(error) => {
                journal::error("renew", format_args!("cannot renew certificates: {error}"), &[]);
                tokio::time::sleep(RENEW_AGAIN).await;
            }
        }
    }
}

fn tell(outcome: &Outcome) {
    let text = outcome.to_string();
    match outcome {
        Outcome::Reloaded(_) => journal::info("reloaded", text.trim_end(), &[]),
        Outcome::Refused(_) => journal::error("reload", text.trim_end(), &[]),
    }
}
