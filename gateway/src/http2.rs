//! HTTP/2: the streams of a connection, side by side, each request in a task of its own.

use std::sync::Arc;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::h2::{self, Asked};
use crate::proxy;
use crate::stream::GatheringStream;

/// What a client may still send while it has not read that the connection has ended: what it may
/// have had on its way.
const LAST_WORDS: u64 = 1024 * 1024;

/// Serves a connection until its end. Each request is served by the configuration that is published
/// when its head has been read.
pub(crate) async fn http2(mut stream: GatheringStream, connection: Arc<Connection>) {
    let timeouts = &connection.snapshot.server.timeouts;
    let limits = h2::Limits { header: timeouts.header, keepalive: timeouts.keepalive };
    let mut current = connection.clone();
    let serve = |asked| {
        if let Some(newer) = current.renewed() {
            current = Arc::new(newer);
        }
        serve(asked, current.clone())
    };
    h2::drive(&mut stream, limits, connection.leaving(), serve).await;
    // The client is to read the last words, GOAWAY among them.
    Box::pin(Box::new(stream).close(LAST_WORDS)).await;
}

async fn serve(asked: Asked, connection: Arc<Connection>) {
    let (mut request, flaw) = match asked {
        Asked::Request(request) => (request, None),
        Asked::HeadTooLarge(request) => (request, Some(Fault::HeadTooLarge)),
    };
    let head = request.take_head();
    if let Some(answered) = proxy::serve(request, &head, flaw, &connection).await {
        answered.recycle(head);
    }
}
