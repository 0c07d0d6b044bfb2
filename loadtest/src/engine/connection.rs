//! One connection: its socket, its TLS, and its exchange.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use rustls::client::UnbufferedClientConnection;

use super::dial::{Dialing, cannot_connect, dial};
use super::poll::{Interest, Poll};
use super::session::Session;
use crate::scenario::Protocol;
use crate::wire::{Exchange, Failure, FailureKind, Nanos, Turn};

/// Memory that the connections of one event loop share, because one after the other needs it.
pub(super) struct Scratch {
    /// What came from the socket.
    input: Vec<u8>,
    /// What was in it.
    plain: Vec<u8>,
}

impl Scratch {
    /// More than a record of TLS, so that the rest of one and another read have room.
    const LENGTH: usize = 128 << 10;

    pub(super) fn new() -> Self {
        Self { input: vec![0; Self::LENGTH], plain: Vec::new() }
    }
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Connecting,
    Handshaking,
    Open,
}

/// A connection.
pub(super) struct Connection {
    stream: TcpStream,
    session: Option<Box<Session>>,
    pub(super) exchange: Exchange,
    pub(super) phase: Phase,
    /// When it began.
    pub(super) since: Nanos,
    /// What the exchange has written, and is still to be encrypted.
    pub(super) written: Vec<u8>,
    /// What is still to be sent, and how much of that is gone.
    unsent: Vec<u8>,
    sent: usize,
    interest: Interest,
}

/// What happened while a connection moved on.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Its handshake is over, and whether it was one from before; `None` without TLS.
    pub(super) opened: Option<Option<bool>>,
    /// Application bytes received.
    pub(super) received: usize,
    /// The server has closed it.
    pub(super) has_ended: bool,
}

impl Connection {
    /// Begins to connect.
    pub(super) fn begin(
        dialing: &Dialing<'_>,
        since: Nanos,
        number: usize,
        poll: &Poll,
        turn: &mut Turn<'_>,
    ) -> Result<Self, Failure> {
        let stream = dial(dialing).map_err(|error| cannot_connect(&error))?;
        poll.add(&stream, number, Interest::Write).map_err(|error| cannot_connect(&error))?;
        let mut unsent = Vec::new();
        let session = match (dialing.tls, &turn.book.scenario.tls) {
            (Some(config), Some(tls)) => {
                let begun =
                    UnbufferedClientConnection::new(config.clone(), tls.server_name.clone());
                let connection = begun
                    .map_err(|error| Failure::new(FailureKind::Tls, format!("TLS: {error}")))?;
                let mut session = Session::new(connection);
                session.receive(&mut [], &mut unsent, &mut Vec::new())?;
                Some(Box::new(session))
            }
            _ => None,
        };
        let exchange = Exchange::begin(turn);
        let (phase, interest) = (Phase::Connecting, Interest::Write);
        let written = std::mem::take(turn.out);
        Ok(Self { stream, session, exchange, phase, since, written, unsent, sent: 0, interest })
    }

    /// Something can be done with the socket.
    pub(super) fn advance(
        &mut self,
        scratch: &mut Scratch,
        turn: &mut Turn<'_>,
    ) -> Result<Moved, Failure> {
        let mut moved = Moved::default();
        if self.phase == Phase::Connecting {
            self.connected(&mut moved)?;
            return Ok(moved);
        }
        let start = self.restore(scratch);
        let read = match self.stream.read(&mut scratch.input[start..]) {
            Ok(0) => {
                moved.has_ended = true;
                return Ok(moved);
            }
            Ok(read) => read,
            Err(error) if is_no_fault(&error) => {
                self.keep(&scratch.input[..start]);
                return Ok(moved);
            }
            Err(error) => return Err(self.lost(&error)),
        };
        let input = &mut scratch.input[..start + read];
        if self.session.is_some() {
            self.decrypt(input, &mut scratch.plain, &mut moved, turn)?;
            moved.received = scratch.plain.len();
            self.exchange.receive(&scratch.plain, turn)?;
        } else {
            moved.received = read;
            self.exchange.receive(input, turn)?;
        }
        Ok(moved)
    }

    /// Reads the records that are there as a whole, and notices the end of the handshake.
    fn decrypt(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        moved: &mut Moved,
        turn: &Turn<'_>,
    ) -> Result<(), Failure> {
        let Some(session) = &mut self.session else { return Ok(()) };
        plain.clear();
        session.receive(input, &mut self.unsent, plain)?;
        moved.has_ended = session.has_ended;
        if self.phase == Phase::Handshaking && !session.is_handshaking() {
            agreed(session, turn.book.scenario.protocol)?;
            moved.opened = Some(Some(session.was_resumed()));
            self.phase = Phase::Open;
        }
        Ok(())
    }

    /// Puts the beginning of a record, of which the end is still to come, before what comes. Its
    /// length.
    fn restore(&mut self, scratch: &mut Scratch) -> usize {
        let Some(session) = &mut self.session else { return 0 };
        let rest = std::mem::take(&mut session.rest);
        scratch.input[..rest.len()].copy_from_slice(&rest);
        rest.len()
    }

    /// The beginning of a record waits for its end.
    fn keep(&mut self, rest: &[u8]) {
        if let Some(session) = &mut self.session {
            session.rest.extend_from_slice(rest);
        }
    }

    /// The socket has connected, or has failed to.
    fn connected(&mut self, moved: &mut Moved) -> Result<(), Failure> {
        let failed = self.stream.take_error().unwrap_or_else(Some);
        if let Some(error) = failed {
            return Err(cannot_connect(&error));
        }
        self.phase = match self.session {
            Some(_) => Phase::Handshaking,
            None => {
                moved.opened = Some(None);
                Phase::Open
            }
        };
        Ok(())
    }

    /// Encrypts and sends what there is, and waits for whatever comes next. How many application
    /// bytes were sent.
    pub(super) fn flush(&mut self, number: usize, poll: &Poll) -> Result<usize, Failure> {
        let mut written = 0;
        if self.phase == Phase::Open && !self.written.is_empty() {
            written = self.written.len();
            match &mut self.session {
                Some(session) => {
                    session.encrypt(&self.written, &mut self.unsent)?;
                    self.written.clear();
                }
                None if self.unsent.is_empty() => {
                    std::mem::swap(&mut self.unsent, &mut self.written)
                }
                None => self.unsent.append(&mut self.written),
            }
        }
        if self.phase != Phase::Connecting && !self.unsent.is_empty() {
            self.send()?;
        }
        let interest = match (self.phase, self.unsent.is_empty()) {
            (Phase::Connecting, _) => Interest::Write,
            (_, true) => Interest::Read,
            (_, false) => Interest::Both,
        };
        if interest != self.interest {
            self.interest = interest;
            poll.change(&self.stream, number, interest).map_err(|error| self.lost(&error))?;
        }
        Ok(written)
    }

    fn send(&mut self) -> Result<(), Failure> {
        while self.sent < self.unsent.len() {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_no_fault(&error) => return Ok(()),
                Err(error) => return Err(self.lost(&error)),
            }
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(())
    }

    /// Ends it from this side, in order.
    pub(super) fn close(mut self) {
        if let Some(session) = &mut self.session
            && self.phase == Phase::Open
        {
            session.close(&mut self.unsent);
            // Where the socket takes no more, the server learns it from the socket's end.
            let _ = self.send();
        }
    }

    /// What a failure of the socket means, by how far the connection was.
    fn lost(&self, error: &io::Error) -> Failure {
        match self.phase {
            Phase::Connecting => cannot_connect(error),
            Phase::Handshaking => Failure::new(
                FailureKind::Tls,
                format!("the connection ended in the TLS handshake: {error}"),
            ),
            Phase::Open => {
                Failure::new(FailureKind::Closed, format!("the connection was lost: {error}"))
            }
        }
    }

    /// What it means that the server has closed the connection.
    pub(super) fn ended(&self) -> Failure {
        match self.phase {
            Phase::Handshaking => Failure::new(
                FailureKind::Tls,
                "the server closed the connection in the TLS handshake",
            ),
            _ => Failure::new(
                FailureKind::Closed,
                "the server closed the connection before its answer",
            ),
        }
    }
}

fn is_no_fault(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Whether the server speaks what the scenario wants.
fn agreed(session: &Session, protocol: Protocol) -> Result<(), Failure> {
    let is_h2 = session.protocol() == Some(b"h2");
    match protocol {
        Protocol::Http2 { .. } if !is_h2 => {
            Err(Failure::new(FailureKind::Tls, "the server does not speak HTTP/2 (ALPN)"))
        }
        _ => Ok(()),
    }
}
