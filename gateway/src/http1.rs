//! HTTP/1.1: the requests of a connection, one after the other.

use std::pin::{Pin, pin};
use std::task::Poll;

use pingora_core::protocols::Stream;
use pingora_core::protocols::http::{ReusableHttpStream, ServerSession};
use pingora_error::ErrorType;
use tokio::time::{Instant, Sleep, sleep};

use crate::connection::{Connection, Listener};
use crate::fault::{Fault, HEAD_CAP};
use crate::stream::{GatheringStream, Meter};
use crate::{admin, plain, proxy};

/// Serves a connection until its end.
pub(crate) async fn http1(stream: GatheringStream, connection: &Connection) {
    let meter = stream.meter();
    let mut draining = pin!(connection.draining());
    let (mut stream, mut begun): (Stream, _) = (Box::new(stream), None);
    loop {
        let mut session = ServerSession::new_http1(stream);
        session.set_pipelining_enabled(true);
        // Time-outs are set where it is known what is being waited for.
        session.set_read_timeout(None);
        let mut head = HeadWait::new(connection, &meter, begun.is_some());
        if let Some(bytes) = begun.take() {
            session.set_pipelined_prefix(bytes);
        }
        let read = match head.read(&mut session, draining.as_mut()).await {
            Ok(true) => check_length(&session),
            other => other,
        };
        match read {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => return proxy::refuse_head(session, connection, fault).await,
        }
        if connection.is_draining() {
            session.set_keepalive(None);
        }
        let Some(reusable) = answer(session, connection).await else { return };
        (stream, begun) = reusable.into_parts();
    }
}

async fn answer(session: ServerSession, connection: &Connection) -> Option<ReusableHttpStream> {
    match connection.listener {
        Listener::Https => proxy::serve(session, connection).await,
        Listener::Http => plain::serve(session, connection).await,
        Listener::Admin => admin::serve(session, connection).await,
    }
}

/// Waiting for the head of an HTTP/1.1 request: in silence for as long as `keepalive` allows; from
/// its first byte on for as long as `header` allows, however the bytes trickle in.
struct HeadWait<'c> {
    connection: &'c Connection,
    meter: &'c Meter,
    read_before: u64,
    started: bool,
    deadline: Pin<Box<Sleep>>,
}

impl<'c> HeadWait<'c> {
    fn new(connection: &'c Connection, meter: &'c Meter, started: bool) -> Self {
        let limits = &connection.snapshot.server.timeouts;
        let limit = if started { limits.header } else { limits.keepalive };
        Self {
            connection,
            meter,
            read_before: meter.read(),
            started,
            deadline: Box::pin(sleep(limit)),
        }
    }

    /// `Ok(false)`: the connection ended where it may end, between two requests.
    async fn read(
        &mut self,
        session: &mut ServerSession,
        mut draining: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<bool, Fault> {
        let limit = self.connection.snapshot.server.timeouts.header;
        let mut stopped = self.connection.is_draining();
        let mut reading = pin!(session.read_request());
        std::future::poll_fn(|cx| {
            if let Poll::Ready(read) = reading.as_mut().poll(cx) {
                return Poll::Ready(read.or_else(head_fault));
            }
            let received = self.meter.read() - self.read_before;
            if received > HEAD_CAP {
                return Poll::Ready(Err(Fault::HeadTooLarge));
            }
            if received > 0 && !self.started {
                self.started = true;
                self.deadline.as_mut().reset(Instant::now() + limit);
            }
            stopped = stopped || draining.as_mut().poll(cx).is_ready();
            if stopped && !self.started {
                return Poll::Ready(Ok(false));
            }
            match self.deadline.as_mut().poll(cx) {
                Poll::Ready(()) if self.started => Poll::Ready(Err(Fault::HeadTimeout(limit))),
                Poll::Ready(()) => Poll::Ready(Ok(false)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

/// A head that arrives faster than it is looked at is measured once it is whole.
fn check_length(session: &ServerSession) -> Result<bool, Fault> {
    let length = session.as_http1().map_or(0, |http1| http1.get_headers_raw_bytes().len() as u64);
    if length > HEAD_CAP { Err(Fault::HeadTooLarge) } else { Ok(true) }
}

/// A client that goes away in the middle of a head has nobody left to be told about it.
fn head_fault(error: Box<pingora_error::Error>) -> Result<bool, Fault> {
    match error.etype() {
        ErrorType::InvalidHTTPHeader => Err(Fault::MalformedHead(error)),
        _ => Ok(false),
    }
}
