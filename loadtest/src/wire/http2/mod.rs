//! HTTP/2 (RFC 9113), as much of it as a client needs that knows its requests beforehand: their
//! field blocks are encoded once, and a request is a copy with another stream's number in it.

mod bodies;
mod frame;
mod hpack;
mod receive;
mod settings;

use crate::scenario::{Request, Seen};

use super::plan::{Plan, is_constant, write_path};
use super::{Failure, Flight, Nanos, Turn, Values};
use bodies::Windows;
use hpack::Decoder;

/// The last number that a client's stream may have.
const LAST_STREAM: u32 = 0x7fff_ffff;

/// A connection.
pub(crate) struct Http2 {
    /// What is in flight. So few that looking through them is quicker than any map.
    streams: Vec<Stream>,
    next_stream: u32,
    /// How many may be in flight: what the scenario asks, and what the server allows.
    most: usize,
    allowed: usize,
    /// How many requests may still be started.
    left: u64,
    /// The server has said that it will take no more.
    is_leaving: bool,
    decoder: Decoder,
    /// Fields whose CONTINUATION is still to come.
    block: Option<Block>,
    windows: Windows,
    /// Received, and not given back to the server's window yet.
    received: u32,
    /// A frame that is not there as a whole yet.
    buffer: Vec<u8>,
}

struct Stream {
    id: u32,
    flight: Flight,
    seen: Seen,
    /// Of the body, and whether there is more of it.
    sent: usize,
    is_sending: bool,
    /// How much of it the server takes.
    window: i64,
}

struct Block {
    stream: u32,
    ends_stream: bool,
    fields: Vec<u8>,
}

/// A request's field block behind the room for its frame's head: up to its path, and behind it.
pub(super) fn plan(request: &Request, tls: bool) -> Plan {
    let mut before = vec![0; frame::HEAD];
    let mut after = Vec::new();
    match request.method.as_str() {
        "GET" => before.push(0x82),
        "POST" => before.push(0x83),
        other => hpack::write_named(2, other.as_bytes(), &mut before),
    }
    before.push(if tls { 0x87 } else { 0x86 });
    hpack::write_named(1, request.authority.as_bytes(), &mut before);
    for (name, value) in &request.headers {
        hpack::write_field(name.as_str().as_bytes(), value.as_bytes(), &mut after);
    }
    if !request.body.is_empty() {
        hpack::write_named(28, request.body.len().to_string().as_bytes(), &mut after);
    }
    let mut path = request.path.pieces.clone();
    if is_constant(&request.path) {
        hpack::write_named(4, request.path.text.as_bytes(), &mut before);
        before.append(&mut after);
        path.clear();
    }
    let is_head = request.method == http::Method::HEAD;
    Plan { before, path, after, body: request.body.clone(), is_head }
}

impl Http2 {
    pub(super) fn begin(streams: u32, turn: &mut Turn<'_>) -> Self {
        settings::write_preface(turn.out);
        let left = turn.book.scenario.requests_per_connection.map_or(u64::MAX, |most| most.get());
        Self {
            streams: Vec::new(),
            next_stream: 1,
            most: streams as usize,
            allowed: usize::MAX,
            left,
            is_leaving: false,
            decoder: Decoder::new(),
            block: None,
            windows: Windows::default(),
            received: 0,
            buffer: Vec::new(),
        }
    }

    pub(super) fn room(&self) -> usize {
        if self.takes_no_more() {
            return 0;
        }
        let free = self.most.min(self.allowed).saturating_sub(self.streams.len());
        free.min(usize::try_from(self.left).unwrap_or(usize::MAX))
    }

    fn takes_no_more(&self) -> bool {
        self.is_leaving || self.left == 0 || self.next_stream >= LAST_STREAM
    }

    pub(super) fn is_over(&self) -> bool {
        self.streams.is_empty() && self.takes_no_more()
    }

    pub(super) fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.streams.iter().map(|stream| &stream.flight)
    }

    pub(super) fn start(&mut self, flight: Flight, turn: &mut Turn<'_>) {
        let plan = &turn.book.plans[flight.request];
        let (id, start) = (self.next_stream, turn.out.len());
        turn.out.extend_from_slice(&plan.before);
        if !plan.path.is_empty() {
            write_changing_path(plan, flight.values, turn.out);
        }
        let is_sending = !plan.body.is_empty();
        let end = if is_sending { 0 } else { frame::END_STREAM };
        frame::close(start, frame::HEADERS, frame::END_HEADERS | end, id, turn.out);
        self.next_stream += 2;
        self.left -= 1;
        let window = self.windows.initial;
        self.streams.push(Stream {
            id,
            flight,
            seen: Seen::default(),
            sent: 0,
            is_sending,
            window,
        });
        if is_sending {
            self.send_bodies(turn);
        }
    }

    pub(super) fn expire(&mut self, before: Nanos, failure: &Failure, turn: &mut Turn<'_>) {
        self.streams.retain(|stream| {
            let is_late = stream.flight.due <= before;
            if is_late {
                let code = frame::CANCEL.to_be_bytes();
                frame::write(frame::RST_STREAM, 0, stream.id, &code, turn.out);
                turn.failed(stream.flight, failure.clone());
            }
            !is_late
        });
    }
}

/// A path that changes has a length that changes, in front of it.
fn write_changing_path(plan: &Plan, values: Values, out: &mut Vec<u8>) {
    let mut path = Vec::with_capacity(128);
    write_path(&plan.path, values, &mut path);
    hpack::write_named(4, &path, out);
    out.extend_from_slice(&plan.after);
}
