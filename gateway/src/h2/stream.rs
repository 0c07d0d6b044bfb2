//! One stream (RFC 9113 section 5.1), for as long as it is open or a task serves it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::task::Waker;

use bytes::BytesMut;

use super::error::Code;
use super::flow::{ReceiveWindow, STREAM_WINDOW, SendWindow};
use super::frame::StreamId;
use crate::downstream::{ClientError, Framing};
use crate::head::Fields;

/// The streams of a connection.
pub(crate) type Streams = HashMap<StreamId, Stream, BuildHasherDefault<IdHasher>>;

/// Spreads the numbers of streams. There are never more than [`super::settings::MAX_STREAMS`], so that
/// nobody gains by making them collide.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&octet| self.write_u32(u32::from(octet)));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// How far the request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// More of its body follows: so much of it, where it was announced.
    Body(Option<u64>),
    /// It has been received to its end.
    Ended,
}

/// How far the answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    Head,
    Body,
    Ended,
}

/// Why a stream was broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The client sent what it should not.
    Malformed(&'static str),
    /// The client took the request back.
    Reset,
    /// We broke it off.
    Given(Code),
    /// The connection ended.
    Lost,
}

impl Failure {
    pub(crate) fn error(self) -> ClientError {
        match self {
            Self::Malformed(what) => ClientError::Malformed(what),
            Self::Reset => gone(io::ErrorKind::ConnectionReset, "the client reset the stream"),
            Self::Given(_) => gone(io::ErrorKind::ConnectionAborted, "the stream was broken off"),
            Self::Lost => gone(io::ErrorKind::ConnectionReset, "the connection ended"),
        }
    }
}

fn gone(kind: io::ErrorKind, what: &'static str) -> ClientError {
    ClientError::Gone(io::Error::new(kind, what))
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) receiving: Receiving,
    pub(crate) sending: Sending,
    pub(crate) failure: Option<Failure>,
    pub(crate) window_in: ReceiveWindow,
    pub(crate) window_out: SendWindow,
    /// What has been received of the body and not been taken. One piece, however small the frames
    /// were: what it takes to keep it is bounded by its window.
    pub(crate) body: BytesMut,
    pub(crate) trailers: Option<Box<Fields>>,
    /// Whether the request's end has been handed out.
    pub(crate) end_taken: bool,
    /// Who waits for more of the request, and who for room for the answer.
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
}

impl Stream {
    pub(crate) fn new(framing: Framing, window_out: SendWindow) -> Self {
        let receiving = match framing {
            Framing::Empty => Receiving::Ended,
            Framing::Length(length) => Receiving::Body(Some(length)),
            Framing::Open => Receiving::Body(None),
        };
        Self {
            receiving,
            sending: Sending::Head,
            failure: None,
            window_in: ReceiveWindow::new(STREAM_WINDOW),
            window_out,
            body: BytesMut::new(),
            trailers: None,
            end_taken: receiving == Receiving::Ended,
            reader: None,
            writer: None,
        }
    }

    /// Whether nothing more is to come in either direction.
    pub(crate) fn is_over(&self) -> bool {
        self.failure.is_some()
            || self.receiving == Receiving::Ended && self.sending == Sending::Ended
    }

    /// Counts bytes of the body. `false`: more than were announced (section 8.1.1).
    pub(crate) fn count(&mut self, length: usize) -> bool {
        let Receiving::Body(Some(left)) = &mut self.receiving else { return true };
        let still = left.checked_sub(length as u64);
        *left = still.unwrap_or_default();
        still.is_some()
    }

    /// The request has ended. `false`: before its body was as long as announced.
    pub(crate) fn end(&mut self) -> bool {
        let whole = matches!(self.receiving, Receiving::Body(None | Some(0)));
        self.receiving = Receiving::Ended;
        self.wake_reader();
        whole
    }

    /// Breaks the stream off, for whoever serves it.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
        self.wake_reader();
        self.wake_writer();
    }

    pub(crate) fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    pub(crate) fn wake_writer(&mut self) {
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }
}
