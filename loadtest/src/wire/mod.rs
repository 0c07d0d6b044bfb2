//! The protocols, without sockets: bytes in, bytes out, and what came of the requests. Each
//! connection has an [`Exchange`].

mod http1;
mod http2;
mod plan;
mod websocket;

use crate::scenario::{Protocol, Scenario, Seen, Unexpected};

use http1::Http1;
use http2::Http2;
use plan::Plan;
use websocket::WebSocket;

pub(crate) use plan::Values;

/// Nanoseconds since the run began.
pub(crate) type Nanos = u64;

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flight {
    /// From when its latency counts.
    pub(crate) due: Nanos,
    /// Its index in the scenario.
    pub(crate) request: usize,
    pub(crate) values: Values,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) flight: Flight,
    /// 0 where there was none.
    pub(crate) status: u16,
    pub(crate) ending: Ending,
}

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// With an answer as the scenario expects it.
    Good,
    Failed(Failure),
    /// The server said that it has not looked at it: it may be sent again.
    Unprocessed,
}

/// Why a request or a connection failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// For people.
    pub(crate) what: String,
}

/// The kinds of failures that a result counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FailureKind {
    Connect,
    Tls,
    Timeout,
    Closed,
    Protocol,
    Reset,
    Status,
    Check,
}

impl FailureKind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Closed,
        Self::Protocol,
        Self::Reset,
        Self::Status,
        Self::Check,
    ];

    /// As a result writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::Reset => "reset",
            Self::Status => "status",
            Self::Check => "check",
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    fn protocol(what: impl Into<String>) -> Self {
        Self::new(FailureKind::Protocol, what)
    }
}

/// A scenario, and its requests as they are written.
pub(crate) struct Book {
    pub(crate) scenario: Scenario,
    plans: Vec<Plan>,
}

impl Book {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let plans = scenario.requests.iter().map(|request| match scenario.protocol {
            Protocol::Http1 => http1::plan(request),
            Protocol::Http2 { .. } => http2::plan(request, scenario.target.tls),
            Protocol::WebSocket => websocket::plan(request),
        });
        Self { plans: plans.collect(), scenario }
    }
}

/// What a step of an exchange writes to.
pub(crate) struct Turn<'a> {
    pub(crate) book: &'a Book,
    /// Bytes for the server.
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) outcomes: &'a mut Vec<Outcome>,
    pub(crate) rng: &'a mut fastrand::Rng,
}

impl Turn<'_> {
    /// An answer is there as a whole.
    fn answered(&mut self, flight: Flight, seen: &Seen) {
        let expect = &self.book.scenario.requests[flight.request].expect;
        let ending = match expect.judge(seen) {
            Ok(()) => Ending::Good,
            Err(unexpected) => {
                let kind = match unexpected {
                    Unexpected::Status => FailureKind::Status,
                    _ => FailureKind::Check,
                };
                Ending::Failed(Failure::new(kind, expect.explain(unexpected, seen)))
            }
        };
        self.outcomes.push(Outcome { flight, status: seen.status, ending });
    }

    fn failed(&mut self, flight: Flight, failure: Failure) {
        self.outcomes.push(Outcome { flight, status: 0, ending: Ending::Failed(failure) });
    }
}

/// One connection's side of its protocol.
pub(crate) enum Exchange {
    Http1(Http1),
    Http2(Box<Http2>),
    WebSocket(WebSocket),
}

impl Exchange {
    /// Begins a connection, and writes what comes before the first request.
    pub(crate) fn begin(turn: &mut Turn<'_>) -> Self {
        match turn.book.scenario.protocol {
            Protocol::Http1 => Self::Http1(Http1::new(&turn.book.scenario)),
            Protocol::Http2 { streams } => Self::Http2(Box::new(Http2::begin(streams, turn))),
            Protocol::WebSocket => Self::WebSocket(WebSocket::begin(turn)),
        }
    }

    /// How many requests may be started now.
    pub(crate) fn room(&self) -> usize {
        match self {
            Self::Http1(http1) => http1.room(),
            Self::Http2(http2) => http2.room(),
            Self::WebSocket(websocket) => websocket.room(),
        }
    }

    /// Starts a request, for which there is room.
    pub(crate) fn start(&mut self, flight: Flight, turn: &mut Turn<'_>) {
        match self {
            Self::Http1(http1) => http1.start(flight, turn),
            Self::Http2(http2) => http2.start(flight, turn),
            Self::WebSocket(websocket) => websocket.start(flight, turn),
        }
    }

    /// Takes what the server sent. After a failure the connection is of no more use; what was on its
    /// way is still in flight.
    pub(crate) fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<(), Failure> {
        match self {
            Self::Http1(http1) => http1.receive(input, turn),
            Self::Http2(http2) => http2.receive(input, turn),
            Self::WebSocket(websocket) => websocket.receive(input, turn),
        }
    }

    /// The server has closed the connection: an answer that lasts until then is there as a whole.
    pub(crate) fn ended(&mut self, turn: &mut Turn<'_>) {
        if let Self::Http1(http1) = self {
            http1.ended(turn);
        }
    }

    /// Whether the connection has served its time: nothing is in flight, and nothing may be started.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Http1(http1) => http1.is_over(),
            Self::Http2(http2) => http2.is_over(),
            Self::WebSocket(_) => false,
        }
    }

    /// How many requests are on their way.
    pub(crate) fn in_flight(&self) -> usize {
        match self {
            Self::Http1(http1) => usize::from(http1.flight().is_some()),
            Self::Http2(http2) => http2.flights().count(),
            Self::WebSocket(websocket) => usize::from(websocket.flight().is_some()),
        }
    }

    /// When the oldest request that is on its way was due.
    pub(crate) fn oldest(&self) -> Option<Nanos> {
        match self {
            Self::Http1(http1) => http1.flight().map(|flight| flight.due),
            Self::Http2(http2) => http2.flights().map(|flight| flight.due).min(),
            Self::WebSocket(websocket) => websocket.flight().map(|flight| flight.due),
        }
    }

    /// Gives up what was due before then. Whether the connection can be used on.
    pub(crate) fn expire(&mut self, before: Nanos, failure: &Failure, turn: &mut Turn<'_>) -> bool {
        if let Self::Http2(http2) = self {
            http2.expire(before, failure, turn);
            return true;
        }
        if self.oldest().is_some_and(|due| due <= before) {
            self.give_up(failure, turn);
            return false;
        }
        true
    }

    /// Gives up everything that is on its way.
    pub(crate) fn give_up(&mut self, failure: &Failure, turn: &mut Turn<'_>) {
        match self {
            Self::Http1(http1) => http1.give_up(failure, turn),
            Self::Http2(http2) => http2.expire(Nanos::MAX, failure, turn),
            Self::WebSocket(websocket) => websocket.give_up(failure, turn),
        }
    }
}
