//! What clients do to a connection, frame by frame.

mod breaks;
mod endings;
mod flow;
mod heads;
mod limits;
mod properties;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use http::StatusCode;
use proptest::prelude::*;

use super::*;
use crate::downstream::{ClientError, Piece};
use crate::h2::flow::STREAM_WINDOW;
use crate::h2::frame::{ACK, END_HEADERS, END_STREAM, MAX_PAYLOAD, PADDED, PREFACE};
use crate::h2::settings::MAX_STREAMS;
use crate::head::{Fields, ResponseHead};

const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":authority", "app.test"), (":path", "/x")];
const POST: [(&str, &str); 4] = [(":method", "POST"), GET[1], GET[2], GET[3]];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let length = text.len();
            match length {
                0..127 => block.push(length as u8),
                _ => {
                    let rest = length - 127;
                    block.extend([0x7f, 0x80 | (rest % 128) as u8]);
                    block.extend([0x80 | (rest / 128 % 128) as u8, (rest / 128 / 128) as u8]);
                }
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

fn request(stream: u32, fields: &[(&str, &str)], flags: u8) -> Vec<u8> {
    frame(1, END_HEADERS | flags, stream, &block(fields))
}

fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    frame(0, flags, stream, payload)
}

fn reset(stream: u32) -> Vec<u8> {
    frame(3, 0, stream, &8_u32.to_be_bytes())
}

fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(8, 0, stream, &by.to_be_bytes())
}

fn setting(number: u8, value: u32) -> Vec<u8> {
    frame(4, 0, 0, &[&[0, number][..], &value.to_be_bytes()].concat())
}

#[derive(Debug, PartialEq, Eq)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

/// The frames that were waiting to be written.
fn output(connection: &mut Connection) -> Vec<Frame> {
    let mut bytes = connection.output().to_vec();
    connection.written(bytes.len());
    let mut frames = Vec::new();
    while let [l0, l1, l2, kind, flags, s0, s1, s2, s3, ..] = bytes[..] {
        let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        let stream = u32::from_be_bytes([s0, s1, s2, s3]);
        let payload = bytes[9..9 + length].to_vec();
        frames.push(Frame { kind, flags, stream, payload });
        bytes.drain(..9 + length);
    }
    assert!(bytes.is_empty());
    frames
}

fn resets(frames: &[Frame]) -> Vec<(u32, u8)> {
    let resets = frames.iter().filter(|frame| frame.kind == 3);
    resets.map(|frame| (frame.stream, frame.payload[3])).collect()
}

/// A connection whose preface is behind it, with settings as given.
fn established_with(settings: &[u8]) -> Connection {
    let mut connection = Connection::new();
    connection.receive(&[&PREFACE[..], settings].concat()).unwrap();
    assert!(connection.is_established());
    output(&mut connection);
    connection
}

fn established() -> Connection {
    established_with(&frame(4, 0, 0, &[]))
}

fn next(connection: &mut Connection) -> (StreamId, RequestHead, Framing) {
    match connection.next_event() {
        Some(Event::Request { stream, head, framing }) => (stream, head, framing),
        other => panic!("no request, but {other:?}"),
    }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn body(connection: &mut Connection, stream: u32) -> Poll<Result<Piece, ClientError>> {
    connection.poll_body(StreamId(stream), &context())
}

fn send(connection: &mut Connection, stream: u32, data: &[u8]) -> Option<usize> {
    match connection.poll_send(StreamId(stream), &context(), data) {
        Poll::Ready(sent) => Some(sent.unwrap()),
        Poll::Pending => None,
    }
}

fn answer(connection: &mut Connection, stream: u32, ended: bool) {
    connection.send_head(StreamId(stream), &ResponseHead::default(), ended);
}

/// Receives what must break the connection, and says with which code.
fn broken_by(connection: &mut Connection, bytes: &[u8]) -> Code {
    let error = connection.receive(bytes).unwrap_err();
    assert!(connection.is_over());
    let last = output(connection).pop().unwrap();
    assert_eq!((last.kind, last.payload[7]), (7, error.code as u8));
    error.code
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}
