//! HTTP/1.1 (RFC 9112), one request at a time.

mod chunked;
mod head;

use crate::scenario::{Request, Scenario, Seen};

use super::plan::{Plan, is_constant, write_path};
use super::{Failure, Flight, Turn};
use chunked::Chunked;
use head::{Framing, Head};

/// A head that is longer is not waited for.
const LONGEST_HEAD: usize = 64 << 10;

/// The end of a head, with the wish that no other request follows.
const LAST: &[u8] = b"connection: close\r\n\r\n";

/// A connection.
pub(crate) struct Http1 {
    flight: Option<Flight>,
    state: State,
    seen: Seen,
    /// A head that is not there as a whole yet.
    buffer: Vec<u8>,
    /// How many requests may still be started.
    left: u64,
}

enum State {
    Head,
    Body(Framing),
}

/// A request as it is written: up to its path, and from there to the end of its last field.
pub(super) fn plan(request: &Request) -> Plan {
    let mut before = format!("{} ", request.method).into_bytes();
    let mut after = format!(" HTTP/1.1\r\nhost: {}\r\n", request.authority).into_bytes();
    for (name, value) in &request.headers {
        after.extend_from_slice(name.as_str().as_bytes());
        after.extend_from_slice(b": ");
        after.extend_from_slice(value.as_bytes());
        after.extend_from_slice(b"\r\n");
    }
    let takes_body = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if takes_body || !request.body.is_empty() {
        after.extend_from_slice(format!("content-length: {}\r\n", request.body.len()).as_bytes());
    }
    let mut path = request.path.pieces.clone();
    if is_constant(&request.path) {
        write_path(&path, super::Values::default(), &mut before);
        before.append(&mut after);
        path.clear();
    }
    let is_head = request.method == http::Method::HEAD;
    Plan { before, path, after, body: request.body.clone(), is_head }
}

impl Http1 {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let left = scenario.requests_per_connection.map_or(u64::MAX, |most| most.get());
        let (state, seen) = (State::Head, Seen::default());
        Self { flight: None, state, seen, buffer: Vec::new(), left }
    }

    pub(super) fn room(&self) -> usize {
        usize::from(self.flight.is_none() && self.left > 0)
    }

    pub(super) fn flight(&self) -> Option<&Flight> {
        self.flight.as_ref()
    }

    pub(super) fn is_over(&self) -> bool {
        self.flight.is_none() && self.left == 0
    }

    pub(super) fn start(&mut self, flight: Flight, turn: &mut Turn<'_>) {
        let plan = &turn.book.plans[flight.request];
        turn.out.extend_from_slice(&plan.before);
        write_path(&plan.path, flight.values, turn.out);
        turn.out.extend_from_slice(&plan.after);
        self.left -= 1;
        turn.out.extend_from_slice(if self.left == 0 { LAST } else { b"\r\n" });
        turn.out.extend_from_slice(&plan.body);
        self.flight = Some(flight);
        self.state = State::Head;
        self.seen = Seen::default();
    }

    pub(super) fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<(), Failure> {
        if self.buffer.is_empty() {
            return self.take(input, turn);
        }
        let mut whole = std::mem::take(&mut self.buffer);
        whole.extend_from_slice(input);
        self.take(&whole, turn)
    }

    fn take(&mut self, mut input: &[u8], turn: &mut Turn<'_>) -> Result<(), Failure> {
        while !input.is_empty() {
            let Some(flight) = self.flight else {
                return Err(Failure::protocol("the server sent something that nobody asked for"));
            };
            input = match &self.state {
                State::Head => match self.take_head(flight, input, turn)? {
                    Some(length) => &input[length..],
                    None => return self.keep(input),
                },
                State::Body(_) => self.take_body(flight, input, turn)?,
            };
        }
        Ok(())
    }

    /// Keeps the beginning of a head until the rest is there.
    fn keep(&mut self, input: &[u8]) -> Result<(), Failure> {
        if input.len() > LONGEST_HEAD {
            return Err(Failure::protocol("the answer's head is longer than 64 KiB"));
        }
        self.buffer.extend_from_slice(input);
        Ok(())
    }

    /// The length of the head, where it is there as a whole.
    fn take_head(
        &mut self,
        flight: Flight,
        input: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<Option<usize>, Failure> {
        let expect = &turn.book.scenario.requests[flight.request].expect;
        let is_head = turn.book.plans[flight.request].is_head;
        let Some(head) = Head::parse(input, is_head, expect, &mut self.seen)? else {
            return Ok(None);
        };
        if self.seen.status < 200 {
            // 100 and 103 come before the answer.
            self.seen = Seen::default();
            return Ok(Some(head.length));
        }
        if !head.keeps {
            self.left = 0;
        }
        match head.framing {
            Framing::Length(0) => self.finish(flight, turn),
            framing => self.state = State::Body(framing),
        }
        Ok(Some(head.length))
    }

    /// What is behind the part of the body that is there.
    fn take_body<'i>(
        &mut self,
        flight: Flight,
        input: &'i [u8],
        turn: &mut Turn<'_>,
    ) -> Result<&'i [u8], Failure> {
        let expect = &turn.book.scenario.requests[flight.request].expect;
        let (rest, is_whole) = match &mut self.state {
            State::Body(Framing::Length(left)) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                let (piece, rest) = input.split_at(here);
                expect.see_body(&mut self.seen, piece);
                *left -= here as u64;
                (rest, *left == 0)
            }
            State::Body(Framing::Chunked(chunked)) => {
                let seen = &mut self.seen;
                chunked.take(input, |piece| expect.see_body(seen, piece))?
            }
            State::Body(Framing::UntilEnd) | State::Head => {
                expect.see_body(&mut self.seen, input);
                (&[][..], false)
            }
        };
        if is_whole {
            self.finish(flight, turn);
        }
        Ok(rest)
    }

    fn finish(&mut self, flight: Flight, turn: &mut Turn<'_>) {
        self.flight = None;
        self.state = State::Head;
        turn.answered(flight, &self.seen);
    }

    pub(super) fn ended(&mut self, turn: &mut Turn<'_>) {
        if let (State::Body(Framing::UntilEnd), Some(flight)) = (&self.state, self.flight) {
            self.finish(flight, turn);
        }
    }

    pub(super) fn give_up(&mut self, failure: &Failure, turn: &mut Turn<'_>) {
        if let Some(flight) = self.flight.take() {
            turn.failed(flight, failure.clone());
        }
        self.left = 0;
    }
}
