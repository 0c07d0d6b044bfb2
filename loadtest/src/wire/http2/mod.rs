//! HTTP/2 (RFC 9113), as much of it as a client needs that knows its requests beforehand: their
//! field blocks are encoded once, and a request is a copy with another stream's number in it.

mod bodies;
mod frame;
mod hpack;
mod settings;

use crate::scenario::{Request, Seen};

use super::plan::{Plan, is_constant, write_path};
use super::{Ending, Failure, FailureKind, Flight, Nanos, Outcome, Turn, Values};
use bodies::Windows;
use frame::Frame;
use hpack::Decoder;

/// The last number that a client's stream may have.
const LAST_STREAM: u32 = 0x7fff_ffff;

/// A larger block of fields is no answer to a load test.
const LONGEST_BLOCK: usize = 256 << 10;

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

    pub(super) fn receive(&mut self, input: &[u8], turn: &mut Turn<'_>) -> Result<(), Failure> {
        let mut whole = std::mem::take(&mut self.buffer);
        let mut rest = match whole.is_empty() {
            true => input,
            false => {
                whole.extend_from_slice(input);
                &whole
            }
        };
        while let Some((frame, behind)) = Frame::parse(rest)? {
            self.take(&frame, turn)?;
            rest = behind;
        }
        if rest.is_empty() && !whole.is_empty() {
            // Its memory is kept for the next frame that is cut.
            whole.clear();
            self.buffer = whole;
        } else {
            self.buffer.extend_from_slice(rest);
        }
        Ok(())
    }

    fn take(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        if self.block.is_some() && frame.kind != frame::CONTINUATION {
            return Err(frame::broken());
        }
        match frame.kind {
            frame::HEADERS => self.take_headers(frame, turn),
            frame::CONTINUATION => self.take_continuation(frame, turn),
            frame::DATA => self.take_data(frame, turn),
            frame::SETTINGS => self.take_settings(frame, turn),
            frame::WINDOW_UPDATE => self.take_window(frame, turn),
            frame::PING => {
                if !frame.has(frame::ACK) {
                    frame::write(frame::PING, frame::ACK, 0, frame.payload, turn.out);
                }
                Ok(())
            }
            frame::RST_STREAM => self.take_reset(frame, turn),
            frame::GOAWAY => self.take_goaway(frame, turn),
            frame::PUSH_PROMISE => {
                Err(Failure::protocol("the server pushes, though it was told not to"))
            }
            // Kinds that nobody knows are passed over (section 4.1).
            _ => Ok(()),
        }
    }

    fn take_headers(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let (stream, ends_stream) = (frame.stream, frame.has(frame::END_STREAM));
        if frame.has(frame::END_HEADERS) {
            return self.take_fields(stream, ends_stream, frame.content()?, turn);
        }
        self.block = Some(Block { stream, ends_stream, fields: frame.content()?.to_vec() });
        Ok(())
    }

    fn take_continuation(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let block = self.block.take().filter(|block| block.stream == frame.stream);
        let mut block = block.ok_or_else(frame::broken)?;
        block.fields.extend_from_slice(frame.payload);
        if block.fields.len() > LONGEST_BLOCK {
            return Err(Failure::protocol("the answer's head is longer than 256 KiB"));
        }
        if frame.has(frame::END_HEADERS) {
            return self.take_fields(block.stream, block.ends_stream, &block.fields, turn);
        }
        self.block = Some(block);
        Ok(())
    }

    /// Fields are decoded even of a stream that nobody waits for any more: the table must follow.
    fn take_fields(
        &mut self,
        id: u32,
        ends_stream: bool,
        fields: &[u8],
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let mut stream = self.streams.iter_mut().find(|stream| stream.id == id);
        let decoded = self.decoder.decode(fields, |name, value| {
            let Some(stream) = &mut stream else { return };
            let expect = &turn.book.scenario.requests[stream.flight.request].expect;
            if name == b":status" {
                let status = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                stream.seen = Seen::of_status(status.unwrap_or_default());
            } else if !expect.headers.is_empty() {
                expect.see_header(&mut stream.seen, name, value);
            }
        });
        decoded
            .map_err(|hpack::Broken| Failure::protocol("the answer's fields cannot be decoded"))?;
        if ends_stream {
            self.finish(id, turn);
        }
        Ok(())
    }

    fn take_data(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        // A frame is at most 16 KiB; padding counts too.
        self.received += u32::try_from(frame.payload.len()).unwrap_or_default();
        if self.received >= settings::GIVE_BACK {
            let back = std::mem::take(&mut self.received).to_be_bytes();
            frame::write(frame::WINDOW_UPDATE, 0, 0, &back, turn.out);
        }
        let content = frame.content()?;
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == frame.stream) {
            let expect = &turn.book.scenario.requests[stream.flight.request].expect;
            expect.see_body(&mut stream.seen, content);
            if frame.has(frame::END_STREAM) {
                self.finish(frame.stream, turn);
            }
        }
        Ok(())
    }

    /// The answer of a stream is there as a whole.
    fn finish(&mut self, id: u32, turn: &mut Turn<'_>) {
        let Some(stream) = self.remove(id) else { return };
        if stream.is_sending {
            // The server has answered without the rest of the body.
            frame::write(frame::RST_STREAM, 0, id, &frame::CANCEL.to_be_bytes(), turn.out);
        }
        turn.answered(stream.flight, &stream.seen);
    }

    fn remove(&mut self, id: u32) -> Option<Stream> {
        let index = self.streams.iter().position(|stream| stream.id == id)?;
        Some(self.streams.swap_remove(index))
    }

    fn take_reset(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let code = frame.number(0)?;
        let Some(stream) = self.remove(frame.stream) else { return Ok(()) };
        let ending = match code {
            frame::REFUSED_STREAM => Ending::Unprocessed,
            code => {
                let what = format!("the server reset the stream: {}", frame::error_name(code));
                Ending::Failed(Failure::new(FailureKind::Reset, what))
            }
        };
        turn.outcomes.push(Outcome { flight: stream.flight, status: 0, ending });
        Ok(())
    }

    /// The server goes; what it has not looked at may be sent again (section 6.8).
    fn take_goaway(&mut self, frame: &Frame<'_>, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let last = frame.number(0)? & LAST_STREAM;
        self.is_leaving = true;
        let outcomes = &mut turn.outcomes;
        self.streams.retain(|stream| {
            let is_processed = stream.id <= last;
            if !is_processed {
                let flight = stream.flight;
                outcomes.push(Outcome { flight, status: 0, ending: Ending::Unprocessed });
            }
            is_processed
        });
        Ok(())
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
