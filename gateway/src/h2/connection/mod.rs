//! A connection's protocol (RFC 9113), without any input or output.

mod receive;
mod serve;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::task::{Context, Waker};

use super::budget::{self, Budget};
use super::error::{Code, ConnectionError};
use super::flow::{CONNECTION_WINDOW, DEFAULT_WINDOW, ReceiveWindow, SendWindow};
use super::frame::{self, Kind, StreamId};
use super::hpack::{Decoder, Encoder};
use super::output::Output;
use super::settings;
use super::stream::{Failure, Streams};
use crate::downstream::Framing;
use crate::head::RequestHead;

/// Bytes that may wait to be written before answers have to wait.
pub(crate) const OUTPUT_CAP: usize = 64 * 1024;

/// Heads that are kept to be filled again.
const SPARE_HEADS: usize = 16;

/// What marks the PING that follows the first of two GOAWAYs.
const DRAIN: [u8; 8] = *b"draining";

/// What came in.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request. Whoever takes it has to [`Connection::release`] its stream.
    Request { stream: StreamId, head: RequestHead, framing: Framing },
    /// A request whose head is longer than may be; what came before that is there. Its stream waits for
    /// an answer, and has to be released too.
    HeadTooLarge { stream: StreamId, head: RequestHead, framing: Framing },
}

impl Event {
    fn into_parts(self) -> (StreamId, RequestHead) {
        match self {
            Self::Request { stream, head, .. } | Self::HeadTooLarge { stream, head, .. } => {
                (stream, head)
            }
        }
    }

    fn stream(&self) -> StreamId {
        let (Self::Request { stream, .. } | Self::HeadTooLarge { stream, .. }) = self;
        *stream
    }
}

/// How a connection comes to its end (section 6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// The client has been told that there will be an end, and requests that were on their way then
    /// are served still.
    Announced,
    /// The client has been told which request was the last.
    Said,
    /// Nothing that comes in is looked at any more.
    Broken,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    input: receive::Input,
    decoder: Decoder,
    encoder: Encoder,
    streams: Streams,
    /// The last stream that the client has opened.
    last: StreamId,
    window_in: ReceiveWindow,
    window_out: SendWindow,
    /// What the client allows for a new stream.
    initial_window_out: u32,
    events: VecDeque<Event>,
    spare_heads: Vec<RequestHead>,
    output: Output,
    /// Streams whose answers wait for room, in the order in which they began to.
    starved: VecDeque<StreamId>,
    /// Who writes the output.
    driver: Option<Waker>,
    resets: Budget,
    malformed: Budget,
    idle_frames: Budget,
    closing: Closing,
}

impl Connection {
    /// A connection that nothing has come in on. Our settings are in its output.
    pub(crate) fn new() -> Self {
        let mut output = Output::default();
        output.frame(Kind::Settings, 0, StreamId::CONNECTION, &settings::ours());
        let more = CONNECTION_WINDOW - DEFAULT_WINDOW;
        output.frame(Kind::WindowUpdate, 0, StreamId::CONNECTION, &more.to_be_bytes());
        Self {
            input: receive::Input::default(),
            decoder: Decoder::new(),
            encoder: Encoder::new(),
            streams: Streams::default(),
            last: StreamId::CONNECTION,
            window_in: ReceiveWindow::new(CONNECTION_WINDOW),
            window_out: SendWindow::new(DEFAULT_WINDOW),
            initial_window_out: DEFAULT_WINDOW,
            events: VecDeque::new(),
            spare_heads: Vec::new(),
            output,
            starved: VecDeque::new(),
            driver: None,
            resets: Budget::new(budget::RESETS),
            malformed: Budget::new(budget::MALFORMED),
            idle_frames: Budget::new(budget::IDLE_FRAMES),
            closing: Closing::No,
        }
    }

    /// Whether the client has sent its preface and settings.
    pub(crate) fn is_established(&self) -> bool {
        self.input.is_established()
    }

    /// Whether the end has been announced, and not been said yet.
    pub(crate) fn is_going_away(&self) -> bool {
        self.closing == Closing::Announced
    }

    /// Whether there is no stream.
    pub(crate) fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    /// Whether nothing more is to come, so that the connection ends once the output has been written.
    pub(crate) fn is_over(&self) -> bool {
        match self.closing {
            Closing::No | Closing::Announced => false,
            Closing::Said => self.streams.is_empty(),
            Closing::Broken => true,
        }
    }

    /// What came in. A request that has been taken back meanwhile is not mentioned.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        while let Some(event) = self.events.pop_front() {
            let stream = self.streams.get(&event.stream());
            if stream.is_some_and(|stream| stream.failure.is_none()) {
                return Some(event);
            }
            let (stream, head) = event.into_parts();
            self.release(stream, head);
        }
        None
    }

    /// What waits to be written.
    pub(crate) fn output(&self) -> &[u8] {
        self.output.unwritten()
    }

    /// So much of the output has been written. Answers that waited for that go on.
    pub(crate) fn written(&mut self, length: usize) {
        let was_full = self.output.len() >= OUTPUT_CAP;
        self.output.advance(length);
        if was_full && self.output.len() < OUTPUT_CAP {
            self.feed_starved();
        }
    }

    /// Whether so much waits to be written that no more should be read: the client makes us answer and
    /// does not listen.
    pub(crate) fn is_choked(&self) -> bool {
        self.output.len() > 2 * OUTPUT_CAP
    }

    /// Whom to wake when there is something to write, or the connection may be over.
    pub(crate) fn register_driver(&mut self, cx: &Context<'_>) {
        register(&mut self.driver, cx);
    }

    fn wake_driver(&mut self) {
        if let Some(waker) = self.driver.take() {
            waker.wake();
        }
    }

    /// A while has passed: what a client may do for nothing, it may do again. Buffers that nothing is
    /// in are given back.
    pub(crate) fn tick(&mut self) {
        self.resets.refill();
        self.idle_frames.refill();
        self.output.shrink();
        if self.streams.is_empty() {
            self.spare_heads.clear();
        }
    }

    /// Announces the end: no more requests, please, but those that are on their way are served. The end
    /// itself is said when the client has seen this (section 6.8).
    pub(crate) fn go_away(&mut self) {
        if self.closing == Closing::No {
            self.closing = Closing::Announced;
            self.say_go_away(StreamId::MAX, Code::No);
            self.output.frame(Kind::Ping, 0, StreamId::CONNECTION, &DRAIN);
        }
    }

    /// Says the end without waiting for the client to have seen the announcement.
    pub(crate) fn finish_going_away(&mut self) {
        if matches!(self.closing, Closing::No | Closing::Announced) {
            self.closing = Closing::Said;
            self.say_go_away(self.last, Code::No);
            self.wake_driver();
        }
    }

    fn say_go_away(&mut self, last: StreamId, code: Code) {
        let payload = frame::go_away(last, code);
        self.output.frame(Kind::GoAway, 0, StreamId::CONNECTION, &payload);
    }

    /// The client broke the protocol: says so, and gives everything up.
    fn break_off(&mut self, error: ConnectionError) {
        self.say_go_away(self.last, error.code);
        self.give_up();
    }

    /// There is nobody to read or write any more.
    pub(crate) fn lost(&mut self) {
        self.output.discard();
        self.give_up();
    }

    fn give_up(&mut self) {
        self.closing = Closing::Broken;
        self.events.drain(..).for_each(|event| drop(self.streams.remove(&event.stream())));
        self.streams.values_mut().for_each(|stream| stream.fail(Failure::Lost));
        self.starved.clear();
    }

    /// Lets answers that waited for room try again.
    fn feed_starved(&mut self) {
        for stream in self.starved.drain(..) {
            if let Some(stream) = self.streams.get_mut(&stream) {
                stream.wake_writer();
            }
        }
    }

    fn reset_frame(&mut self, stream: StreamId, code: Code) {
        self.output.frame(Kind::ResetStream, 0, stream, &(code as u32).to_be_bytes());
    }

    /// Bytes of bodies have been taken, or thrown away.
    fn take_from_connection(&mut self, length: usize) {
        if let Some(more) = self.window_in.take(length as u32) {
            let more = more.to_be_bytes();
            self.output.frame(Kind::WindowUpdate, 0, StreamId::CONNECTION, &more);
        }
    }

    fn spare_head(&mut self) -> RequestHead {
        self.spare_heads.pop().unwrap_or_default()
    }

    fn keep_head(&mut self, head: RequestHead) {
        if self.spare_heads.len() < SPARE_HEADS {
            self.spare_heads.push(head);
        }
    }
}

fn register(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}
