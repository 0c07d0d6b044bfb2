//! One accepted connection: counted, shaken hands with, and given to the protocol that it speaks.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::connection::{Connection, Listener};
use crate::http1::http1;
use crate::http2::http2;
use crate::snapshot::Snapshot;
use crate::stop::Stop;
use crate::stream::{GatheringStream, Transport};
use crate::tls::{self, Shaken};
use crate::worker::Worker;

/// Serves a connection of a public listener, if the caps allow one more.
pub(crate) async fn admit(
    listener: Listener,
    tcp: TcpStream,
    peer: SocketAddr,
    worker: Arc<Worker>,
    door: Stop,
) {
    let shared = &worker.shared;
    let snapshot = shared.snapshot.load_full();
    let _counted = match shared.census.enter(snapshot.counted_as(peer.ip())) {
        Ok(counted) => counted,
        Err(full) => {
            shared.metrics.connections_refused.with_label_values(&[full.reason()]).inc();
            return;
        }
    };
    serve(listener, tcp, peer, snapshot, worker.clone(), door).await;
}

/// Serves a connection until its end. `door`: begins to drain when the listener is given up.
pub(crate) async fn serve(
    listener: Listener,
    tcp: TcpStream,
    peer: SocketAddr,
    snapshot: Arc<Snapshot>,
    worker: Arc<Worker>,
    door: Stop,
) {
    let metrics = worker.shared.metrics.clone();
    metrics.connections.with_label_values(&[listener.name()]).inc();
    let open = metrics.connections_open.with_label_values(&[listener.name()]);
    open.inc();
    match listener {
        Listener::Https => serve_tls(tcp, peer, snapshot, worker, door).await,
        Listener::Http | Listener::Admin => {
            let connection = Connection::new(listener, peer, None, snapshot, worker, door);
            http1(GatheringStream::to_client(Transport::Tcp(tcp)), &connection).await;
        }
    }
    open.dec();
}

async fn serve_tls(
    tcp: TcpStream,
    peer: SocketAddr,
    snapshot: Arc<Snapshot>,
    worker: Arc<Worker>,
    door: Stop,
) {
    let metrics = &worker.shared.metrics;
    let limit = snapshot.server.timeouts.handshake;
    let certificates = &snapshot.certificates;
    // In a box, for most of a connection's life is behind it.
    let (store, responder) = (&certificates.store, &worker.shared.responder);
    let shaken = tls::handshake(
        tcp,
        store,
        (&certificates.tls, &certificates.for_clients),
        responder,
        limit,
    );
    let Shaken { stream, facts, client } = match Box::pin(shaken).await {
        Ok(Some(established)) => established,
        Ok(None) => return,
        Err(error) => {
            metrics.handshake_failures.with_label_values(&[error.reason()]).inc();
            return;
        }
    };
    let labels =
        [facts.version, facts.group.unwrap_or("none"), if facts.resumed { "yes" } else { "no" }];
    metrics.handshakes.with_label_values(&labels).inc();
    let stream = GatheringStream::to_client(Transport::TlsServer(stream));
    let connection = Connection::new(Listener::Https, peer, Some(facts), snapshot, worker, door);
    let connection = Connection { client, ..connection };
    if facts.http2 {
        http2(stream, Arc::new(connection)).await;
    } else {
        http1(stream, &connection).await;
    }
}
