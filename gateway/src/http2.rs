//! HTTP/2: the streams of a connection, side by side, each request in a task of its own.

use std::sync::Arc;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::h2::{self, Asked};
use crate::proxy;
use crate::stream::GatheringStream;

/// Serves a connection until its end.
pub(crate) async fn http2(mut stream: GatheringStream, connection: Arc<Connection>) {
    let timeouts = &connection.snapshot.server.timeouts;
    let limits = h2::Limits { header: timeouts.header, keepalive: timeouts.keepalive };
    let serve = |asked| serve(asked, connection.clone());
    h2::drive(&mut stream, limits, connection.draining(), serve).await;
    // The client is to read the last words, GOAWAY among them.
    Box::pin(Box::new(stream).close()).await;
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
