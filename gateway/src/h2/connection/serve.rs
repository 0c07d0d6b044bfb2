//! What whoever serves a request does with its stream.

use std::task::{Context, Poll};

use super::{Connection, OUTPUT_CAP, register};
use crate::downstream::{ClientError, Piece};
use crate::h2::budget::{IDLE_FRAMES_A_DATA_FRAME, IDLE_FRAMES_A_REQUEST};
use crate::h2::error::Code;
use crate::h2::frame::{Kind, MAX_PAYLOAD, StreamId};
use crate::h2::stream::{Failure, Receiving, Sending, Stream};
use crate::head::{Fields, RequestHead, ResponseHead};

/// The longest piece of a body that is handed out.
const PIECE: usize = 64 * 1024;

impl Connection {
    /// The next piece of a request's body. Behind its end this is ready only once the stream is broken
    /// off.
    pub(crate) fn poll_body(
        &mut self,
        id: StreamId,
        cx: &Context<'_>,
    ) -> Poll<Result<Piece, ClientError>> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Poll::Ready(Err(Failure::Lost.error()));
        };
        if let Some(failure) = stream.failure {
            return Poll::Ready(Err(failure.error()));
        }
        if !stream.body.is_empty() {
            let length = stream.body.len().min(PIECE);
            let piece = stream.body.split_to(length).freeze();
            self.taken(id, length);
            return Poll::Ready(Ok(Piece::Data(piece)));
        }
        if stream.receiving == Receiving::Ended && !stream.end_taken {
            stream.end_taken = true;
            return Poll::Ready(Ok(Piece::End(stream.trailers.take())));
        }
        register(&mut stream.reader, cx);
        Poll::Pending
    }

    /// Bytes of a body have been handed out: the client may send as many more.
    fn taken(&mut self, id: StreamId, length: usize) {
        if let Some(stream) = self.streams.get_mut(&id)
            && let Some(more) = stream.window_in.take(length as u32)
            && stream.receiving != Receiving::Ended
        {
            self.output.frame(Kind::WindowUpdate, 0, id, &more.to_be_bytes());
        }
        self.take_from_connection(length);
        self.wake_if_output();
    }

    /// Sends an informational answer.
    pub(crate) fn send_informational(&mut self, id: StreamId, head: &ResponseHead) {
        if self.sending(id).is_some_and(|stream| stream.sending == Sending::Head) {
            self.put_head(id, head, false);
        }
    }

    /// Begins the answer.
    pub(crate) fn send_head(&mut self, id: StreamId, head: &ResponseHead, ended: bool) {
        let Some(stream) = self.sending(id).filter(|stream| stream.sending == Sending::Head) else {
            return;
        };
        stream.sending = Sending::Body;
        self.put_head(id, head, ended);
        if ended {
            self.ended(id);
        }
    }

    fn put_head(&mut self, id: StreamId, head: &ResponseHead, ended: bool) {
        let Self { encoder, output, .. } = self;
        output.block(id, ended, |out| encoder.encode(head.status.as_u16(), &head.fields, out));
        self.wake_driver();
    }

    /// Takes bytes of an answer's body, at most a frame.
    pub(crate) fn poll_send(
        &mut self,
        id: StreamId,
        cx: &Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, ClientError>> {
        let room = OUTPUT_CAP.saturating_sub(self.output.len()).min(self.window_out.left());
        let Some(stream) = self.streams.get_mut(&id) else {
            return Poll::Ready(Err(Failure::Lost.error()));
        };
        if let Some(failure) = stream.failure {
            return Poll::Ready(Err(failure.error()));
        }
        if data.is_empty() || stream.sending != Sending::Body {
            return Poll::Ready(Ok(data.len()));
        }
        let length = data.len().min(MAX_PAYLOAD).min(stream.window_out.left()).min(room);
        if length == 0 {
            register(&mut stream.writer, cx);
            if room == 0 && !self.starved.contains(&id) {
                self.starved.push_back(id);
            }
            return Poll::Pending;
        }
        stream.window_out.send(length);
        self.window_out.send(length);
        self.output.data(id, false, &data[..length]);
        self.idle_frames.refund(IDLE_FRAMES_A_DATA_FRAME);
        self.wake_driver();
        Poll::Ready(Ok(length))
    }

    /// Whether an answer can still be sent.
    pub(crate) fn poll_flush(&mut self, id: StreamId) -> Poll<Result<(), ClientError>> {
        match self.streams.get(&id).map(|stream| stream.failure) {
            Some(None) => Poll::Ready(Ok(())),
            Some(Some(failure)) => Poll::Ready(Err(failure.error())),
            None => Poll::Ready(Err(Failure::Lost.error())),
        }
    }

    /// The answer is whole.
    pub(crate) fn end(&mut self, id: StreamId, trailers: Option<&Fields>) {
        if self.sending(id).is_none_or(|stream| stream.sending != Sending::Body) {
            return;
        }
        let Self { encoder, output, .. } = self;
        match trailers {
            Some(fields) => output.block(id, true, |out| encoder.encode_trailers(fields, out)),
            None => output.end(id),
        }
        self.ended(id);
        self.wake_driver();
    }

    /// The answer has ended. What is left of the request is of no interest (section 8.1).
    fn ended(&mut self, id: StreamId) {
        self.resets.refund(1);
        self.idle_frames.refund(IDLE_FRAMES_A_REQUEST);
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.sending = Sending::Ended;
        if stream.receiving != Receiving::Ended {
            stream.fail(Failure::Given(Code::No));
            self.reset_frame(id, Code::No);
        }
    }

    /// Breaks a stream off.
    pub(crate) fn reset(&mut self, id: StreamId, code: Code) {
        if let Some(stream) = self.streams.get_mut(&id)
            && !stream.is_over()
        {
            stream.fail(Failure::Given(code));
            self.reset_frame(id, code);
            self.wake_driver();
        }
    }

    /// Nobody serves the stream any more. An answer that has not been ended is broken off.
    pub(crate) fn release(&mut self, id: StreamId, head: RequestHead) {
        self.reset(id, Code::Internal);
        if let Some(stream) = self.streams.remove(&id)
            && !stream.body.is_empty()
        {
            self.take_from_connection(stream.body.len());
        }
        self.keep_head(head);
        if self.streams.is_empty() {
            // The connection may be over now.
            self.wake_driver();
        }
        self.wake_if_output();
    }

    fn wake_if_output(&mut self) {
        if !self.output.is_empty() {
            self.wake_driver();
        }
    }

    /// A stream whose answer can be sent.
    fn sending(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.streams.get_mut(&id).filter(|stream| stream.failure.is_none())
    }
}
