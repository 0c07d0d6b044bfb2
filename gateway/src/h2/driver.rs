//! A connection's task: moves bytes between the stream and [`Connection`], and begins a task for every
//! request.
//!
//! A request's task writes into the connection's output and wakes this one, which runs when those that
//! were ready before it have. What many of them have written then leaves in one write.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::connection::{Connection, Event};
use super::request::Http2Request;

/// How much is read at a time: what a TLS record holds.
const READ: usize = 16 * 1024;

/// How long a client may take nothing of what waits for it.
const WRITE_STALL: Duration = Duration::from_secs(60);

/// How long a client may take to answer the announcement of the connection's end.
const GOING_AWAY: Duration = Duration::from_secs(5);

/// How long a client may be silent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until it has sent its preface and settings.
    pub(crate) header: Duration,
    /// Without a request.
    pub(crate) keepalive: Duration,
}

/// What a client asks.
#[derive(Debug)]
pub(crate) enum Asked {
    /// To be served.
    Request(Http2Request),
    /// More than a head may hold. What came before that is there; all that is missing is a refusal.
    HeadTooLarge(Http2Request),
}

/// Serves a connection until its end. `answer` is called for every request, and what it returns is a
/// task of its own.
pub(crate) async fn drive<S, A, T>(
    stream: &mut S,
    limits: Limits,
    draining: impl Future<Output = ()>,
    answer: A,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    A: FnMut(Asked) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let mut draining = pin!(draining);
    let mut drained = false;
    let mut driver = Driver::new(stream, limits, answer);
    std::future::poll_fn(|cx| {
        if !drained && draining.as_mut().poll(cx).is_ready() {
            drained = true;
            driver.go_away();
        }
        driver.poll(cx)
    })
    .await;
    driver.connection.lock().lost();
}

struct Driver<'s, S, A> {
    stream: &'s mut S,
    connection: Arc<Mutex<Connection>>,
    answer: A,
    limits: Limits,
    /// When to look whether anything has happened.
    deadline: Pin<Box<Sleep>>,
    last_request: Instant,
    flush_due: bool,
    /// Runs while the client takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
}

impl<'s, S, A, T> Driver<'s, S, A>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: FnMut(Asked) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    fn new(stream: &'s mut S, limits: Limits, answer: A) -> Self {
        Self {
            stream,
            connection: Arc::new(Mutex::new(Connection::new())),
            answer,
            limits,
            deadline: Box::pin(sleep(limits.header)),
            last_request: Instant::now(),
            flush_due: false,
            stall: None,
        }
    }

    /// Ready once the connection has come to its end.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.poll_deadline(cx).is_ready() {
                return Poll::Ready(());
            }
            // The end of the input is the end of everything: nobody half-closes HTTP/2.
            let Ok(choked) = self.read(cx) else { return Poll::Ready(()) };
            match self.poll_write(cx) {
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {
                    self.stall = None;
                    if self.connection.lock().is_over() {
                        return Poll::Ready(());
                    }
                }
                Poll::Pending if self.poll_stall(cx).is_ready() => return Poll::Ready(()),
                Poll::Pending => {}
            }
            let mut connection = self.connection.lock();
            if !choked || connection.is_choked() {
                connection.register_driver(cx);
                return Poll::Pending;
            }
        }
    }

    /// Reads what there is. `true`: there may be more, but the client has to listen first.
    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut space = [const { MaybeUninit::uninit() }; READ];
        loop {
            {
                let connection = self.connection.lock();
                if connection.is_over() || connection.is_choked() {
                    return Ok(connection.is_choked());
                }
            }
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut *self.stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return Ok(false),
                Poll::Ready(read) => read?,
            }
            if buffer.filled().is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.received(buffer.filled());
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        let established = {
            let mut connection = self.connection.lock();
            let was_established = connection.is_established();
            // What was wrong stands in the output, and the connection is over.
            let _said_in_the_output = connection.receive(bytes);
            !was_established && connection.is_established()
        };
        if established {
            self.deadline.as_mut().reset(Instant::now() + self.limits.keepalive);
        }
        let mut begun = false;
        while let Some(event) = self.next_event() {
            begun = true;
            tokio::spawn((self.answer)(asked(&self.connection, event)));
        }
        if begun {
            self.last_request = Instant::now();
        }
    }

    /// The lock is not held while a task is begun: one that cannot be is dropped, and takes it.
    fn next_event(&self) -> Option<Event> {
        self.connection.lock().next_event()
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut connection = self.connection.lock();
        while !connection.output().is_empty() {
            let written = ready!(Pin::new(&mut *self.stream).poll_write(cx, connection.output()))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            connection.written(written);
            self.flush_due = true;
            self.stall = None;
        }
        drop(connection);
        if self.flush_due {
            ready!(Pin::new(&mut *self.stream).poll_flush(cx))?;
            self.flush_due = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stall.get_or_insert_with(|| Box::pin(sleep(WRITE_STALL))).as_mut().poll(cx)
    }

    /// Ready where the client has been silent for too long.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.deadline.as_mut().poll(cx).is_ready() {
            let mut connection = self.connection.lock();
            if !connection.is_established() {
                return Poll::Ready(());
            }
            connection.tick();
            let now = Instant::now();
            let silent = connection.is_idle() && now - self.last_request >= self.limits.keepalive;
            if !connection.is_idle() {
                self.last_request = now;
            }
            let next = if connection.is_going_away() {
                connection.finish_going_away();
                now + self.limits.keepalive
            } else if silent {
                connection.go_away();
                now + GOING_AWAY
            } else {
                self.last_request + self.limits.keepalive
            };
            self.deadline.as_mut().reset(next);
        }
        Poll::Pending
    }

    fn go_away(&mut self) {
        self.connection.lock().go_away();
        self.deadline.as_mut().reset(Instant::now() + GOING_AWAY);
    }
}

fn asked(connection: &Arc<Mutex<Connection>>, event: Event) -> Asked {
    let request =
        |stream, head, framing| Http2Request::new(connection.clone(), stream, head, framing);
    match event {
        Event::Request { stream, head, framing } => Asked::Request(request(stream, head, framing)),
        Event::HeadTooLarge { stream, head, framing } => {
            Asked::HeadTooLarge(request(stream, head, framing))
        }
    }
}

#[cfg(test)]
mod tests;
