//! Accepts connections, runs HTTP/1.1 on them, and ends with the applications' owner.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::reply::{Outcome, Reply};

/// How long to wait when no connection can be accepted, so that a process without free file
/// descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// One application: answers requests, on any number of connections at once.
pub(super) trait App: Send + Sync + 'static {
    /// Answers one request. What outlives the answer, such as a WebSocket, is spawned on `tasks`.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        tasks: &Tasks,
    ) -> impl Future<Output = Outcome> + Send;
}

/// Keeps the tasks alive: they end when it is dropped.
pub(super) struct Running {
    _alive: watch::Sender<()>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

/// Spawns tasks that end with their [`Running`], wherever they were spawned from.
#[derive(Clone)]
pub(super) struct Tasks {
    alive: watch::Receiver<()>,
}

/// An owner and the handle to spawn tasks for it.
pub(super) fn tasks() -> (Running, Tasks) {
    let (owner, alive) = watch::channel(());
    (Running { _alive: owner }, Tasks { alive })
}

impl Tasks {
    /// Spawns `task` on the current runtime.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut alive = self.alive.clone();
        tokio::spawn(async move {
            tokio::select! {
                // Nothing is ever sent: this is ready once the owner is gone.
                _ = alive.changed() => {}
                () = task => {}
            }
        });
    }
}

/// Accepts connections for `app` until the task it runs in ends.
pub(super) async fn serve<A: App>(listener: TcpListener, app: Arc<A>, tasks: Tasks) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => tasks.spawn(connection(stream, Arc::clone(&app), tasks.clone())),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn connection<A: App>(stream: TcpStream, app: Arc<A>, tasks: Tasks) {
    // Without it, small events and messages may wait for the acknowledgement of those before them.
    // Where it cannot be set they are late, and nothing else.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let answer = Arc::clone(&app).handle(request, &tasks);
        async move { Ok::<Reply, Infallible>(answer.await.unwrap_or_else(Reply::from)) }
    });
    // An error here is a client that went away or spoke no HTTP: there is nobody left to tell.
    let _ =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}
