//! What comes in.

use super::{Closing, Connection, DRAIN, Event};
use crate::downstream::Framing;
use crate::fault::HEAD_CAP;
use crate::h2::assembly::{HeadAssembly, TrailerAssembly, Verdict};
use crate::h2::budget::IDLE_FRAMES_A_DATA_FRAME;
use crate::h2::error::{Code, ConnectionError};
use crate::h2::flow::SendWindow;
use crate::h2::frame::{
    self, ACK, END_HEADERS, END_STREAM, FrameHead, HEAD_LENGTH, Kind, PADDED, PREFACE, StreamId,
};
use crate::h2::settings::{self, MAX_STREAMS, Setting};
use crate::h2::stream::{Failure, Receiving, Stream};
use crate::head::RequestHead;

/// The longest header block that is kept for decoding. It is more than a head may have, so that one
/// that is too large can be answered.
const BLOCK_CAP: usize = 2 * HEAD_CAP as usize;

/// Frames that may continue a header block.
const CONTINUATIONS: u32 = 128;

/// What is left of a frame's buffer once the frame has been dealt with.
const KEPT: usize = 1024;

/// What has come in and could not be dealt with yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// How much of the preface has come in.
    preface: usize,
    /// Whether the client's first settings have.
    settings: bool,
    /// A frame that is not whole.
    frame: Vec<u8>,
    /// A frame of data, whose payload is passed on as it comes.
    data: Option<OpenData>,
    /// A header block that is not whole.
    block: Option<OpenBlock>,
}

impl Input {
    pub(super) fn is_established(&self) -> bool {
        self.settings
    }
}

/// What is still to come of a frame of data.
#[derive(Debug, Clone, Copy)]
struct OpenData {
    stream: StreamId,
    /// The length of the padding is still to come.
    padded: bool,
    left: usize,
    padding: usize,
    ended: bool,
}

/// What there is of a header block.
#[derive(Debug)]
struct OpenBlock {
    stream: StreamId,
    ended: bool,
    bytes: Vec<u8>,
    continuations: u32,
}

impl Connection {
    /// Takes what has come in. After an error the output says why, and nothing more is to be read.
    pub(crate) fn receive(&mut self, mut bytes: &[u8]) -> Result<(), ConnectionError> {
        while !bytes.is_empty() && self.closing != Closing::Broken {
            if let Err(error) = self.advance(&mut bytes) {
                self.break_off(error);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes something, at least one byte.
    fn advance(&mut self, bytes: &mut &[u8]) -> Result<(), ConnectionError> {
        if self.input.preface < PREFACE.len() {
            self.preface(bytes)
        } else if let Some(data) = self.input.data.take() {
            self.data(data, bytes)
        } else if self.input.frame.is_empty() {
            self.frame_in_place(bytes)
        } else {
            self.frame_in_parts(bytes)
        }
    }

    fn preface(&mut self, bytes: &mut &[u8]) -> Result<(), ConnectionError> {
        let expected = &PREFACE[self.input.preface..];
        let (come, rest) = bytes.split_at(expected.len().min(bytes.len()));
        if !expected.starts_with(come) {
            return Err(ConnectionError::protocol("the client does not begin as HTTP/2 does"));
        }
        self.input.preface += come.len();
        *bytes = rest;
        Ok(())
    }

    fn frame_in_place(&mut self, bytes: &mut &[u8]) -> Result<(), ConnectionError> {
        let mut rest = *bytes;
        let Some(head) = FrameHead::take(&mut rest)? else {
            self.input.frame.extend_from_slice(std::mem::take(bytes));
            return Ok(());
        };
        if head.kind == Some(Kind::Data) {
            *bytes = rest;
            return self.begin_data(head);
        }
        let Some((payload, rest)) = rest.split_at_checked(head.length) else {
            self.input.frame.extend_from_slice(std::mem::take(bytes));
            return Ok(());
        };
        *bytes = rest;
        self.frame(head, payload)
    }

    fn frame_in_parts(&mut self, bytes: &mut &[u8]) -> Result<(), ConnectionError> {
        self.fill_frame(HEAD_LENGTH, bytes);
        let Some(head) = FrameHead::take(&mut &self.input.frame[..])? else { return Ok(()) };
        if head.kind == Some(Kind::Data) {
            self.input.frame.clear();
            return self.begin_data(head);
        }
        self.fill_frame(HEAD_LENGTH + head.length, bytes);
        if self.input.frame.len() < HEAD_LENGTH + head.length {
            return Ok(());
        }
        let mut frame = std::mem::take(&mut self.input.frame);
        self.frame(head, &frame[HEAD_LENGTH..])?;
        if frame.capacity() <= KEPT {
            frame.clear();
            self.input.frame = frame;
        }
        Ok(())
    }

    fn fill_frame(&mut self, length: usize, bytes: &mut &[u8]) {
        let missing = length.saturating_sub(self.input.frame.len()).min(bytes.len());
        let (more, rest) = bytes.split_at(missing);
        self.input.frame.extend_from_slice(more);
        *bytes = rest;
    }

    /// What may come when.
    fn check_order(&mut self, head: FrameHead) -> Result<(), ConnectionError> {
        if !self.input.settings && (head.kind != Some(Kind::Settings) || head.has(ACK)) {
            // Section 3.4.
            return Err(ConnectionError::protocol("the client's first frame is not SETTINGS"));
        }
        match &self.input.block {
            // Section 6.10.
            Some(block) if head.kind != Some(Kind::Continuation) || head.stream != block.stream => {
                Err(ConnectionError::protocol("a header block is not continued"))
            }
            None if head.kind == Some(Kind::Continuation) => {
                Err(ConnectionError::protocol("CONTINUATION continues nothing"))
            }
            _ => Ok(()),
        }
    }

    /// A whole frame of any kind but DATA.
    fn frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), ConnectionError> {
        self.check_order(head)?;
        match head.kind {
            Some(Kind::Headers) => self.headers(head, payload),
            Some(Kind::Continuation) => self.continuation(head, payload),
            Some(Kind::ResetStream) => self.reset_by_client(head, payload),
            Some(Kind::Settings) => self.settings(head, payload),
            Some(Kind::Ping) => self.ping(head, payload),
            Some(Kind::WindowUpdate) => self.window_update(head, payload),
            Some(Kind::Priority) => self.priority(head, payload),
            Some(Kind::GoAway) => self.client_goes_away(head),
            Some(Kind::PushPromise) => Err(ConnectionError::protocol("the client pushes")),
            Some(Kind::Data) | None => self.idle_frame(),
        }
    }

    /// Section 6.1.
    fn begin_data(&mut self, head: FrameHead) -> Result<(), ConnectionError> {
        self.check_order(head)?;
        self.not_idle(head.stream)?;
        let padded = head.has(PADDED);
        let ended = head.has(END_STREAM);
        if padded && head.length == 0 {
            return Err(ConnectionError::frame_size("DATA is shorter than its flags say"));
        }
        if !self.window_in.receive(head.length as u32) {
            return Err(ConnectionError::flow_control("the connection's window is exceeded"));
        }
        if head.length == 0 && !ended {
            self.idle_frame()?;
        } else {
            self.idle_frames.refund(IDLE_FRAMES_A_DATA_FRAME);
        }
        self.begin_data_of_stream(head)?;
        let left = head.length;
        self.go_on(OpenData { stream: head.stream, padded, left, padding: 0, ended })
    }

    fn begin_data_of_stream(&mut self, head: FrameHead) -> Result<(), ConnectionError> {
        let id = head.stream;
        let stream = self.streams.get_mut(&id).filter(|stream| stream.failure.is_none());
        // It may have been on its way when the stream was closed.
        let Some(stream) = stream else { return self.idle_frame() };
        if stream.receiving == Receiving::Ended {
            return self.stream_error(id, Code::StreamClosed, "its body goes on behind its end");
        }
        if !stream.window_in.receive(head.length as u32) {
            return self.stream_error(id, Code::FlowControl, "its window is exceeded");
        }
        Ok(())
    }

    /// Passes on what has come of a frame of data.
    fn data(&mut self, mut data: OpenData, bytes: &mut &[u8]) -> Result<(), ConnectionError> {
        if data.padded
            && let Some((&length, rest)) = bytes.split_first()
        {
            *bytes = rest;
            (data.padded, data.padding) = (false, usize::from(length));
            data.left = (data.left - 1)
                .checked_sub(data.padding)
                .ok_or(ConnectionError::protocol("DATA is padded with more than it has"))?;
            self.throw_away(data.stream, 1 + data.padding);
        }
        let (come, rest) = bytes.split_at(data.left.min(bytes.len()));
        data.left -= come.len();
        *bytes = rest;
        self.keep_body(data.stream, come)?;
        if data.left == 0 {
            let skipped = data.padding.min(bytes.len());
            data.padding -= skipped;
            *bytes = &bytes[skipped..];
        }
        self.go_on(data)
    }

    fn go_on(&mut self, data: OpenData) -> Result<(), ConnectionError> {
        if data.left > 0 || data.padding > 0 || data.padded {
            self.input.data = Some(data);
            return Ok(());
        }
        if data.ended { self.end_of_request(data.stream) } else { Ok(()) }
    }

    fn keep_body(&mut self, id: StreamId, data: &[u8]) -> Result<(), ConnectionError> {
        if data.is_empty() {
            return Ok(());
        }
        let Some(stream) = self.open_stream(id) else {
            self.take_from_connection(data.len());
            return Ok(());
        };
        if !stream.count(data.len()) {
            self.take_from_connection(data.len());
            return self.stream_error(
                id,
                Code::Protocol,
                "its body is longer than its Content-Length",
            );
        }
        stream.body.extend_from_slice(data);
        stream.wake_reader();
        Ok(())
    }

    /// Padding counts for the windows (section 6.1).
    fn throw_away(&mut self, id: StreamId, length: usize) {
        if let Some(stream) = self.open_stream(id)
            && let Some(more) = stream.window_in.take(length as u32)
        {
            self.output.frame(Kind::WindowUpdate, 0, id, &more.to_be_bytes());
        }
        self.take_from_connection(length);
    }

    fn end_of_request(&mut self, id: StreamId) -> Result<(), ConnectionError> {
        if self.open_stream(id).is_none_or(Stream::end) {
            return Ok(());
        }
        self.stream_error(id, Code::Protocol, "its body is shorter than its Content-Length")
    }

    /// A stream that more of a request may come on.
    fn open_stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        let stream = self.streams.get_mut(&id)?;
        (stream.failure.is_none() && stream.receiving != Receiving::Ended).then_some(stream)
    }

    /// Section 6.2.
    fn headers(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), ConnectionError> {
        if !head.stream.is_clients() {
            return Err(ConnectionError::protocol("HEADERS is not on a stream of the client's"));
        }
        let fragment = frame::fragment(head, payload)?;
        let ended = head.has(END_STREAM);
        if head.has(END_HEADERS) {
            return self.block(head.stream, ended, fragment);
        }
        let bytes = fragment.to_vec();
        self.input.block = Some(OpenBlock { stream: head.stream, ended, bytes, continuations: 0 });
        Ok(())
    }

    /// Section 6.10.
    fn continuation(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), ConnectionError> {
        let Some(mut block) = self.input.block.take() else { return Ok(()) };
        block.continuations += 1;
        if block.continuations > CONTINUATIONS || block.bytes.len() + payload.len() > BLOCK_CAP {
            return Err(ConnectionError::calm("a header block does not end"));
        }
        block.bytes.extend_from_slice(payload);
        if head.has(END_HEADERS) {
            return self.block(block.stream, block.ended, &block.bytes);
        }
        self.input.block = Some(block);
        Ok(())
    }

    /// A whole header block. It is decoded whatever becomes of it, for the tables' sake.
    fn block(&mut self, id: StreamId, ended: bool, block: &[u8]) -> Result<(), ConnectionError> {
        if id <= self.last {
            return self.trailers(id, ended, block);
        }
        self.last = id;
        let mut head = self.spare_head();
        let mut assembly = HeadAssembly::new(&mut head);
        self.decoder.decode(block, |field| assembly.add(field))?;
        let verdict = assembly.finish(ended);
        if self.closing == Closing::Said || self.streams.len() >= MAX_STREAMS {
            self.keep_head(head);
            self.reset_frame(id, Code::RefusedStream);
            return self.idle_frame();
        }
        match verdict {
            Verdict::Fine(framing) => {
                self.open(id, framing);
                self.events.push_back(Event::Request { stream: id, head, framing });
                Ok(())
            }
            Verdict::TooLarge => {
                self.too_large(id, head, ended);
                Ok(())
            }
            Verdict::Malformed(_) => {
                self.keep_head(head);
                self.reset_frame(id, Code::Protocol);
                self.count_malformed()
            }
        }
    }

    fn too_large(&mut self, id: StreamId, head: RequestHead, ended: bool) {
        let framing = if ended { Framing::Empty } else { Framing::Open };
        self.open(id, framing);
        self.events.push_back(Event::HeadTooLarge { stream: id, head, framing });
    }

    fn open(&mut self, id: StreamId, framing: Framing) {
        let window = SendWindow::new(self.initial_window_out);
        self.streams.insert(id, Stream::new(framing, window));
    }

    /// Fields behind a body (section 8.1).
    fn trailers(&mut self, id: StreamId, ended: bool, block: &[u8]) -> Result<(), ConnectionError> {
        let mut assembly = TrailerAssembly::default();
        self.decoder.decode(block, |field| assembly.add(field))?;
        match self.streams.get_mut(&id).filter(|stream| stream.failure.is_none()) {
            // They may have been on their way when the stream was closed.
            None => self.idle_frame(),
            Some(stream) if stream.receiving == Receiving::Ended => {
                self.stream_error(id, Code::StreamClosed, "it goes on behind its end")
            }
            Some(_) if !ended => {
                self.stream_error(id, Code::Protocol, "it goes on behind its trailers")
            }
            Some(stream) => match assembly.finish() {
                Ok(fields) => {
                    stream.trailers = Some(fields);
                    self.end_of_request(id)
                }
                Err(malformed) => self.stream_error(id, Code::Protocol, malformed.0),
            },
        }
    }

    /// Section 6.4.
    fn reset_by_client(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), ConnectionError> {
        self.not_idle(head.stream)?;
        frame::reset_code(payload)?;
        match self.streams.get_mut(&head.stream).filter(|stream| !stream.is_over()) {
            None => self.idle_frame(),
            Some(stream) => {
                stream.fail(Failure::Reset);
                if self.resets.spend() {
                    return Ok(());
                }
                Err(ConnectionError::calm("requests are taken back faster than answered"))
            }
        }
    }

    /// Section 6.5.
    fn settings(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), ConnectionError> {
        of_connection(head)?;
        self.idle_frame()?;
        if head.has(ACK) {
            return match payload {
                [] => Ok(()),
                _ => Err(ConnectionError::frame_size("an acknowledgement has settings")),
            };
        }
        self.input.settings = true;
        for setting in settings::parse(payload)? {
            match setting? {
                Setting::HeaderTableSize(size) => self.encoder.limit_table(size),
                Setting::InitialWindowSize(size) => self.change_windows(size)?,
            }
        }
        self.output.frame(Kind::Settings, ACK, StreamId::CONNECTION, &[]);
        Ok(())
    }

    /// Section 6.9.2.
    fn change_windows(&mut self, size: u32) -> Result<(), ConnectionError> {
        let by = i64::from(size) - i64::from(self.initial_window_out);
        self.initial_window_out = size;
        for stream in self.streams.values_mut() {
            if !stream.window_out.change(by) {
                return Err(ConnectionError::flow_control("a stream's window is too large"));
            }
            stream.wake_writer();
        }
        Ok(())
    }

    /// Section 6.7.
    fn ping(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), ConnectionError> {
        of_connection(head)?;
        let payload = frame::ping(payload)?;
        self.idle_frame()?;
        if !head.has(ACK) {
            self.output.frame(Kind::Ping, ACK, StreamId::CONNECTION, &payload);
        } else if payload == DRAIN && self.closing == Closing::Announced {
            self.finish_going_away();
        }
        Ok(())
    }

    /// Section 6.8. A client that goes away asks for nothing more.
    fn client_goes_away(&mut self, head: FrameHead) -> Result<(), ConnectionError> {
        of_connection(head)?;
        self.finish_going_away();
        Ok(())
    }

    /// Section 6.9.
    fn window_update(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), ConnectionError> {
        let increment = frame::increment(payload)?;
        self.idle_frame()?;
        if head.stream == StreamId::CONNECTION {
            return self.connection_window(increment);
        }
        self.not_idle(head.stream)?;
        let Some(stream) = self.streams.get_mut(&head.stream).filter(|stream| !stream.is_over())
        else {
            return Ok(());
        };
        if increment == 0 {
            return self.stream_error(head.stream, Code::Protocol, "its window grows by nothing");
        }
        if !stream.window_out.change(i64::from(increment)) {
            return self.stream_error(head.stream, Code::FlowControl, "its window is too large");
        }
        stream.wake_writer();
        Ok(())
    }

    fn connection_window(&mut self, increment: u32) -> Result<(), ConnectionError> {
        if increment == 0 {
            return Err(ConnectionError::protocol("the connection's window grows by nothing"));
        }
        if !self.window_out.change(i64::from(increment)) {
            return Err(ConnectionError::flow_control("the connection's window is too large"));
        }
        self.feed_starved();
        Ok(())
    }

    /// Priorities are obsolete (section 5.3.2).
    fn priority(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), ConnectionError> {
        if head.stream == StreamId::CONNECTION {
            return Err(ConnectionError::protocol("PRIORITY is not on a stream"));
        }
        if payload.len() != 5 {
            return Err(ConnectionError::frame_size("PRIORITY has not five octets"));
        }
        self.idle_frame()
    }

    /// Nothing comes on a stream that has not been opened (section 5.1).
    fn not_idle(&self, id: StreamId) -> Result<(), ConnectionError> {
        if id.is_clients() && id <= self.last {
            Ok(())
        } else {
            Err(ConnectionError::protocol("a frame is on a stream that was not opened"))
        }
    }

    /// Breaks a stream off that the client has broken the protocol on.
    fn stream_error(
        &mut self,
        id: StreamId,
        code: Code,
        what: &'static str,
    ) -> Result<(), ConnectionError> {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.fail(Failure::Malformed(what));
        }
        self.reset_frame(id, code);
        self.count_malformed()
    }

    fn count_malformed(&mut self) -> Result<(), ConnectionError> {
        if self.malformed.spend() {
            return Ok(());
        }
        Err(ConnectionError::calm("too many of the client's requests are malformed"))
    }

    fn idle_frame(&mut self) -> Result<(), ConnectionError> {
        if self.idle_frames.spend() {
            return Ok(());
        }
        Err(ConnectionError::calm("the client sends frames that carry nothing"))
    }
}

/// Frames that concern the connection are not on a stream.
fn of_connection(head: FrameHead) -> Result<(), ConnectionError> {
    if head.stream == StreamId::CONNECTION {
        Ok(())
    } else {
        Err(ConnectionError::protocol("a frame about the connection is on a stream"))
    }
}
