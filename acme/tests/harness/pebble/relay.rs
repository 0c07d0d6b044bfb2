//! A port that is known before the gateway under test is started, and leads to it afterwards. So
//! pebble can be told where to validate, and the gateway still takes free ports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The relay. It ends when dropped.
pub(crate) struct Relay {
    addr: SocketAddr,
    target: Arc<Mutex<Option<SocketAddr>>>,
    connections: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Relay {
    /// Starts one that leads nowhere yet: connections are closed at once.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let target = Arc::<Mutex<Option<SocketAddr>>>::default();
        let connections = Arc::<AtomicUsize>::default();
        let server = tokio::spawn(serve(listener, Arc::clone(&target), Arc::clone(&connections)));
        Self { addr, target, connections, server }
    }

    /// Its port, of 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Where connections go from now on; with `None` they are closed at once.
    pub(crate) fn forward_to(&self, target: Option<SocketAddr>) {
        *self.target.lock().unwrap() = target;
    }

    /// How many connections have come.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    listener: TcpListener,
    target: Arc<Mutex<Option<SocketAddr>>>,
    connections: Arc<AtomicUsize>,
) {
    let mut open = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Ordering::SeqCst);
        let target = *target.lock().unwrap();
        if let Some(target) = target {
            open.spawn(pass_on(client, target));
        }
    }
}

async fn pass_on(mut client: TcpStream, target: SocketAddr) {
    // Where the target does not listen, the client finds its connection closed.
    if let Ok(mut server) = TcpStream::connect(target).await {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}
