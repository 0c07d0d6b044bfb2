//! What clients do to a connection, frame by frame.

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

#[test]
fn settings_are_said_and_acknowledged() {
    let mut connection = Connection::new();
    let frames = output(&mut connection);
    assert_eq!(frames.iter().map(|frame| frame.kind).collect::<Vec<_>>(), [4, 8]);
    assert_eq!(frames[0].payload.len(), 24);
    assert_eq!(frames[1].payload, (1024 * 1024 - 65_535_u32).to_be_bytes());
    connection.receive(PREFACE).unwrap();
    assert!(!connection.is_established());
    connection.receive(&setting(3, 7)).unwrap();
    let acknowledged = Frame { kind: 4, flags: ACK, stream: 0, payload: Vec::new() };
    assert_eq!(output(&mut connection), [acknowledged]);
}

#[test]
fn a_request_comes_byte_by_byte() {
    let mut connection = Connection::new();
    let settings = frame(4, 0, 0, &[]);
    let body_frame = [&[3][..], b"hello", &[0; 3]].concat();
    let bytes = [
        &PREFACE[..],
        &settings,
        &request(1, &[&POST[..], &[("x-a", "b"), ("content-length", "5")]].concat(), 0),
        &data(1, PADDED | END_STREAM, &body_frame),
    ]
    .concat();
    for byte in bytes {
        connection.receive(&[byte]).unwrap();
    }
    let (stream, head, framing) = next(&mut connection);
    assert_eq!((stream, framing), (StreamId(1), Framing::Length(5)));
    assert_eq!((head.method.as_str(), head.target()), ("POST", "/x"));
    assert_eq!(head.authority(), Some("app.test"));
    assert_eq!(head.version, http::Version::HTTP_2);
    assert_eq!(head.fields.named(b"x-a").collect::<Vec<_>>(), [b"b"]);
    let Poll::Ready(Ok(Piece::Data(piece))) = body(&mut connection, 1) else { panic!() };
    assert_eq!(&piece[..], b"hello");
    assert!(matches!(body(&mut connection, 1), Poll::Ready(Ok(Piece::End(None)))));
    assert!(body(&mut connection, 1).is_pending());
}

#[test]
fn an_answer_is_as_few_frames_as_it_can_be() {
    let mut connection = established();
    connection.receive(&request(1, &GET, END_STREAM)).unwrap();
    answer(&mut connection, 1, false);
    assert_eq!(send(&mut connection, 1, b"hello"), Some(5));
    connection.end(StreamId(1), None);
    let frames = output(&mut connection);
    let head = Frame { kind: 1, flags: END_HEADERS, stream: 1, payload: vec![0x88] };
    let body = Frame { kind: 0, flags: END_STREAM, stream: 1, payload: b"hello".to_vec() };
    assert_eq!(frames, [head, body]);
    // Without a body the head itself says the end; what has been written cannot.
    connection.receive(&request(3, &GET, END_STREAM)).unwrap();
    answer(&mut connection, 3, false);
    connection.end(StreamId(3), None);
    assert_eq!(output(&mut connection)[0].flags, END_HEADERS | END_STREAM);
    connection.receive(&request(5, &GET, END_STREAM)).unwrap();
    answer(&mut connection, 5, false);
    assert_eq!(output(&mut connection).len(), 1);
    connection.end(StreamId(5), None);
    let end = Frame { kind: 0, flags: END_STREAM, stream: 5, payload: Vec::new() };
    assert_eq!(output(&mut connection), [end]);
}

#[test]
fn long_heads_are_continued() {
    let mut connection = established();
    connection.receive(&request(1, &GET, END_STREAM)).unwrap();
    let mut head = ResponseHead { status: StatusCode::OK, fields: Fields::default() };
    (0..5).for_each(|_| head.fields.add(b"set-cookie", &[b'x'; 10_000]));
    connection.send_head(StreamId(1), &head, false);
    connection.end(StreamId(1), None);
    let frames = output(&mut connection);
    let shapes: Vec<_> = frames.iter().map(|frame| (frame.kind, frame.flags)).collect();
    assert_eq!(shapes, [(1, END_STREAM), (9, 0), (9, 0), (9, END_HEADERS)]);
    assert!(frames.iter().all(|frame| frame.payload.len() <= MAX_PAYLOAD));
}

#[test]
fn windows_of_the_client_are_obeyed() {
    let mut connection = established_with(&setting(4, 10));
    connection.receive(&request(1, &GET, END_STREAM)).unwrap();
    answer(&mut connection, 1, false);
    assert_eq!(send(&mut connection, 1, &[0; 100]), Some(10));
    assert_eq!(send(&mut connection, 1, &[0; 100]), None);
    // Less than nothing is left, then exactly something.
    connection.receive(&setting(4, 5)).unwrap();
    assert_eq!(send(&mut connection, 1, &[0; 100]), None);
    connection.receive(&window_update(1, 6)).unwrap();
    assert_eq!(send(&mut connection, 1, &[0; 100]), Some(1));
    // What the stream may, the connection need not allow.
    connection.receive(&window_update(1, 1 << 20)).unwrap();
    let mut sent = 11;
    while let Some(more) = send(&mut connection, 1, &[0; 10_000]) {
        sent += more;
        output(&mut connection);
    }
    assert_eq!(sent, 65_535);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let waiting = connection.poll_send(StreamId(1), &Context::from_waker(&waker), b"x");
    assert!(waiting.is_pending());
    connection.receive(&window_update(0, 1)).unwrap();
    assert_eq!(woken.0.load(Relaxed), 1);
    assert_eq!(send(&mut connection, 1, b"xx"), Some(1));
}

#[test]
fn answers_wait_for_room() {
    let mut connection = established_with(&setting(4, 1 << 30));
    connection.receive(&window_update(0, 1 << 30)).unwrap();
    connection.receive(&request(1, &GET, END_STREAM)).unwrap();
    answer(&mut connection, 1, false);
    while send(&mut connection, 1, &[0; 50_000]).is_some() {}
    assert!((OUTPUT_CAP..OUTPUT_CAP + 100).contains(&connection.output().len()));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    assert!(connection.poll_send(StreamId(1), &Context::from_waker(&waker), b"x").is_pending());
    connection.written(1000);
    assert_eq!(woken.0.load(Relaxed), 1);
    assert_eq!(send(&mut connection, 1, b"xx"), Some(2));
}

#[test]
fn the_client_may_send_more_as_its_body_is_taken() {
    let mut connection = established();
    connection.receive(&request(1, &POST, 0)).unwrap();
    for _ in 0..STREAM_WINDOW as usize / MAX_PAYLOAD {
        connection.receive(&data(1, 0, &[0; MAX_PAYLOAD])).unwrap();
    }
    assert_eq!(output(&mut connection), []);
    let mut taken = 0;
    while let Poll::Ready(Ok(Piece::Data(piece))) = body(&mut connection, 1) {
        taken += piece.len();
    }
    assert_eq!(taken, STREAM_WINDOW as usize);
    let updates = output(&mut connection);
    assert!(updates.iter().all(|frame| (frame.kind, frame.stream) == (8, 1)), "{updates:?}");
    let granted: u32 =
        updates.iter().map(|frame| u32::from_be_bytes(frame.payload[..].try_into().unwrap())).sum();
    assert_eq!(granted, STREAM_WINDOW);
}

#[test]
fn who_sends_more_than_the_window_is_reset() {
    let mut connection = established();
    connection.receive(&request(1, &POST, 0)).unwrap();
    for _ in 0..=STREAM_WINDOW as usize / MAX_PAYLOAD {
        connection.receive(&data(1, 0, &[0; MAX_PAYLOAD])).unwrap();
    }
    assert_eq!(resets(&output(&mut connection)), [(1, Code::FlowControl as u8)]);
    let mut connection = established();
    for stream in 0..5 {
        connection.receive(&request(2 * stream + 1, &POST, 0)).unwrap();
    }
    let error = (0..1024 * 1024 / MAX_PAYLOAD as u32 + 1)
        .find_map(|number| {
            connection.receive(&data(2 * (number % 5) + 1, 0, &[0; MAX_PAYLOAD])).err()
        })
        .unwrap();
    assert_eq!(error.code, Code::FlowControl);
}

#[test]
fn bodies_nobody_wants_do_not_use_the_window_up() {
    let mut connection = established();
    connection.receive(&request(1, &POST, 0)).unwrap();
    answer(&mut connection, 1, true);
    let frames = output(&mut connection);
    assert_eq!(resets(&frames), [(1, Code::No as u8)]);
    let (stream, head, _) = (StreamId(1), RequestHead::default(), ());
    connection.release(stream, head);
    for _ in 0..1000 {
        connection.receive(&data(1, 0, &[0; MAX_PAYLOAD])).unwrap();
    }
    connection.receive(&request(3, &POST, 0)).unwrap();
    for _ in 0..10 {
        connection.receive(&data(3, 0, &[0; MAX_PAYLOAD])).unwrap();
    }
    connection.release(StreamId(3), RequestHead::default());
    for stream in (5..1000).step_by(2) {
        connection.receive(&request(stream, &POST, 0)).unwrap();
        connection.receive(&data(stream, 0, &[0; MAX_PAYLOAD])).unwrap();
        connection.release(StreamId(stream), RequestHead::default());
    }
}

#[test]
fn bodies_are_as_long_as_they_say() {
    for (length, frames) in [
        ("5", vec![data(1, END_STREAM, b"hello, and more")]),
        ("5", vec![data(1, 0, b"hello"), data(1, 0, b"x")]),
        ("50", vec![data(1, END_STREAM, b"hello")]),
        ("50", vec![data(1, 0, b"hello"), request(1, &[("x", "y")], END_STREAM)]),
        ("0", vec![data(1, END_STREAM, b"hello")]),
    ] {
        let mut connection = established();
        let fields = [&POST[..], &[("content-length", length)]].concat();
        connection.receive(&request(1, &fields, 0)).unwrap();
        connection.receive(&frames.concat()).unwrap();
        assert_eq!(resets(&output(&mut connection)), [(1, Code::Protocol as u8)]);
        // It is not begun any more; whoever serves it already is told.
        assert!(matches!(body(&mut connection, 1), Poll::Ready(Err(ClientError::Malformed(_)))));
        assert!(connection.next_event().is_none());
    }
}

#[test]
fn trailers_are_handed_out_with_the_end() {
    let mut connection = established();
    connection.receive(&request(1, &POST, 0)).unwrap();
    connection.receive(&request(1, &[("x-sum", "17")], END_STREAM)).unwrap();
    let Poll::Ready(Ok(Piece::End(Some(fields)))) = body(&mut connection, 1) else { panic!() };
    assert_eq!(fields.named(b"x-sum").collect::<Vec<_>>(), [b"17"]);
    for (fields, flags) in [(&[("x", "y")][..], 0), (&GET[..1], END_STREAM)] {
        let mut connection = established();
        connection.receive(&request(1, &POST, 0)).unwrap();
        connection.receive(&request(1, fields, flags)).unwrap();
        assert_eq!(resets(&output(&mut connection)), [(1, Code::Protocol as u8)]);
    }
}

#[test]
fn malformed_requests_are_reset() {
    let with = |field| [&GET[..], &[field]].concat();
    let without = |place: usize| [&GET[..place], &GET[place + 1..]].concat();
    let but = |place: usize, value| {
        let mut fields = GET.to_vec();
        fields[place].1 = value;
        fields
    };
    let cases = [
        without(0),
        without(1),
        without(3),
        but(0, ""),
        but(0, "GET / HTTP/1.1\r\nx: y"),
        but(0, "CONNECT"),
        but(1, "ftp"),
        but(2, ""),
        but(2, "user@app.test"),
        but(2, "app.test/x"),
        but(2, "app.test\r\nx: y"),
        but(3, ""),
        but(3, "x"),
        but(3, "*"),
        but(3, "/x y"),
        but(3, "/x#y"),
        but(3, "/x HTTP/1.1\r\nx-evil: 1"),
        with((":path", "/y")),
        with((":evil", "1")),
        with((":status", "200")),
        with((":protocol", "websocket")),
        with(("", "1")),
        with(("X-Upper", "1")),
        with(("x y", "1")),
        with(("x:y", "1")),
        with(("x", "1\r\ny: 1")),
        with(("x", "1\0")),
        with(("x", " 1")),
        with(("x", "1\t")),
        with(("connection", "close")),
        with(("proxy-connection", "close")),
        with(("keep-alive", "timeout=5")),
        with(("transfer-encoding", "chunked")),
        with(("upgrade", "websocket")),
        with(("te", "gzip")),
        with(("content-length", "")),
        with(("content-length", "+1")),
        with(("content-length", "1")),
        with(("content-length", "99999999999999999999")),
        [&GET[..], &[("content-length", "0"), ("content-length", "0")]].concat(),
        [&GET[..3], &[("x", "1")], &GET[3..]].concat(),
    ];
    for fields in cases {
        let mut connection = established();
        connection.receive(&request(1, &fields, END_STREAM)).unwrap();
        assert!(connection.next_event().is_none(), "{fields:?}");
        let reset = resets(&output(&mut connection));
        assert_eq!(reset, [(1, Code::Protocol as u8)], "{fields:?}");
        connection.receive(&request(3, &GET, END_STREAM)).unwrap();
        assert_eq!(next(&mut connection).0, StreamId(3));
    }
}

#[test]
fn unusual_requests_are_served() {
    let with = |field| [&GET[..], &[field]].concat();
    for fields in [
        with(("te", "trailers")),
        with(("x", "")),
        with(("x", "a\tb \u{e4}")),
        with(("content-length", "0")),
        vec![(":method", "OPTIONS"), GET[1], GET[2], (":path", "*")],
        vec![GET[0], GET[1], (":path", "/\u{e4}?q=[a]|{b}"), ("host", "app.test")],
    ] {
        let mut connection = established();
        connection.receive(&request(1, &fields, END_STREAM)).unwrap();
        assert_eq!(next(&mut connection).2, Framing::Empty, "{fields:?}");
    }
}

#[test]
fn heads_that_are_too_large_are_told_apart() {
    let mut connection = established();
    let large = "x".repeat(15_000);
    let fields = [("x-large", large.as_str())];
    connection.receive(&frame(1, END_STREAM, 1, &block(&GET))).unwrap();
    for number in 0..5 {
        let flags = if number == 4 { END_HEADERS } else { 0 };
        connection.receive(&frame(9, flags, 1, &block(&fields))).unwrap();
    }
    let event = connection.next_event();
    let Some(Event::HeadTooLarge { stream, head, .. }) = event else { panic!("{event:?}") };
    assert_eq!((stream, head.target()), (StreamId(1), "/x"));
    answer(&mut connection, 1, true);
    assert_eq!(output(&mut connection).len(), 1);
}

#[test]
fn a_small_block_that_decodes_to_much_is_too_large() {
    let mut connection = established();
    let value = "x".repeat(3000);
    let mut bomb = block(&[&GET[..], &[("x", &value)]].concat());
    let literal = bomb.len() - 3000 - 7;
    bomb[literal] = 0x40;
    bomb.extend([0xbe; 8000]);
    connection.receive(&frame(1, END_STREAM | END_HEADERS, 1, &bomb)).unwrap();
    let event = connection.next_event();
    let Some(Event::HeadTooLarge { head, .. }) = event else { panic!("{event:?}") };
    let kept: usize = head.fields.iter().map(|field| field.value.len()).sum();
    assert!(kept < 64 * 1024);
}

#[test]
fn blocks_without_end_are_cut_off() {
    for payload in [&block(&[("x", &"y".repeat(8000))])[..], &[]] {
        let mut connection = established();
        connection.receive(&frame(1, END_STREAM, 1, &block(&GET))).unwrap();
        let more = frame(9, 0, 1, payload).repeat(200);
        assert_eq!(broken_by(&mut connection, &more), Code::EnhanceYourCalm);
    }
}

#[test]
fn what_breaks_the_protocol_breaks_the_connection() {
    let ended = END_HEADERS | END_STREAM;
    let cases = [
        (data(0, 0, b"x"), Code::Protocol),
        (data(5, 0, b"x"), Code::Protocol),
        (frame(1, ended, 0, &block(&GET)), Code::Protocol),
        (frame(1, ended, 2, &block(&GET)), Code::Protocol),
        (frame(1, ended, 1, &[0xff; 40]), Code::Compression),
        (frame(1, ended | PADDED, 1, &[9, 0x82]), Code::Protocol),
        (frame(1, ended | PADDED, 1, &[]), Code::FrameSize),
        (frame(1, ended | 0x20, 1, &[0; 4]), Code::FrameSize),
        (frame(2, 0, 0, &[0; 5]), Code::Protocol),
        (frame(2, 0, 1, &[0; 4]), Code::FrameSize),
        (reset(7), Code::Protocol),
        (reset(0), Code::Protocol),
        (frame(4, 0, 0, &[0; 5]), Code::FrameSize),
        (frame(4, ACK, 0, &[0; 6]), Code::FrameSize),
        (frame(4, 0, 1, &[]), Code::Protocol),
        (setting(2, 2), Code::Protocol),
        (setting(4, 1 << 31), Code::FlowControl),
        (setting(5, 16_383), Code::Protocol),
        (setting(5, 1 << 24), Code::Protocol),
        (frame(5, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]), Code::Protocol),
        (frame(6, 0, 1, &[0; 8]), Code::Protocol),
        (frame(6, 0, 0, &[0; 7]), Code::FrameSize),
        (frame(7, 0, 1, &[0; 8]), Code::Protocol),
        (window_update(0, 0), Code::Protocol),
        (window_update(0, 0x7fff_ffff), Code::FlowControl),
        (window_update(1, 1), Code::Protocol),
        (frame(8, 0, 0, &[0; 3]), Code::FrameSize),
        (frame(9, END_HEADERS, 1, &block(&GET)), Code::Protocol),
        ([frame(1, 0, 1, &[]), data(1, 0, b"x")].concat(), Code::Protocol),
        ([frame(1, 0, 1, &[]), frame(9, 4, 3, &[])].concat(), Code::Protocol),
        ([frame(1, 0, 1, &[]), frame(200, 0, 1, &[])].concat(), Code::Protocol),
        (vec![0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1], Code::FrameSize),
    ];
    for (bytes, code) in cases {
        assert_eq!(broken_by(&mut established(), &bytes), code, "{bytes:?}");
    }
    assert_eq!(broken_by(&mut Connection::new(), b"GET / HTTP/1.1\r\n"), Code::Protocol);
    let no_settings = [&PREFACE[..], &frame(6, 0, 0, &[0; 8])].concat();
    assert_eq!(broken_by(&mut Connection::new(), &no_settings), Code::Protocol);
    let padded = [request(1, &POST, 0), data(1, PADDED, &[5, 0])].concat();
    assert_eq!(broken_by(&mut established(), &padded), Code::Protocol);
}

#[test]
fn what_breaks_a_stream_breaks_that_one_only() {
    let cases = [
        (window_update(1, 0), Code::Protocol),
        (window_update(1, 0x7fff_ffff), Code::FlowControl),
        (data(1, 0, b"x"), Code::StreamClosed),
        (request(1, &[("x", "y")], END_STREAM), Code::StreamClosed),
    ];
    for (bytes, code) in cases {
        let mut connection = established();
        connection.receive(&request(1, &GET, END_STREAM)).unwrap();
        connection.receive(&bytes).unwrap();
        assert_eq!(resets(&output(&mut connection)), [(1, code as u8)]);
        // Frames that are still on their way are ignored.
        connection.receive(&[data(1, 0, b"x"), reset(1), window_update(1, 0)].concat()).unwrap();
        assert_eq!(output(&mut connection), []);
        connection.receive(&request(3, &GET, END_STREAM)).unwrap();
        assert_eq!(next(&mut connection).0, StreamId(3));
    }
}

#[test]
fn what_is_unknown_is_ignored_and_pings_are_answered() {
    let mut connection = established();
    connection.receive(&frame(200, 0xff, 77, b"what is this?")).unwrap();
    connection.receive(&frame(2, 0, 9, &[0; 5])).unwrap();
    connection.receive(&setting(77, 1)).unwrap();
    connection.receive(&frame(6, 0, 0, b"abcdefgh")).unwrap();
    let pong = Frame { kind: 6, flags: ACK, stream: 0, payload: b"abcdefgh".to_vec() };
    assert_eq!(output(&mut connection).pop(), Some(pong));
}

#[test]
fn streams_are_counted_for_as_long_as_they_are_served() {
    let mut connection = established();
    let count = MAX_STREAMS as u32;
    for number in 0..count {
        connection.receive(&request(2 * number + 1, &GET, END_STREAM)).unwrap();
        next(&mut connection);
    }
    connection.receive(&reset(1)).unwrap();
    let one_more = 2 * count + 1;
    connection.receive(&request(one_more, &GET, END_STREAM)).unwrap();
    assert!(connection.next_event().is_none());
    let refused = [(one_more, Code::RefusedStream as u8)];
    assert_eq!(resets(&output(&mut connection)), refused);
    connection.release(StreamId(1), RequestHead::default());
    connection.receive(&request(one_more + 2, &GET, END_STREAM)).unwrap();
    assert_eq!(next(&mut connection).0, StreamId(one_more + 2));
}

#[test]
fn requests_that_are_taken_back_are_limited() {
    // CVE-2023-44487.
    let mut connection = established();
    let mut taken_back = 0;
    let broken = (0..10_000).map(|number| 2 * number + 1).find_map(|stream| {
        taken_back += 1;
        let bytes = [request(stream, &GET, END_STREAM), reset(stream)].concat();
        let error = connection.receive(&bytes).err();
        assert!(connection.next_event().is_none());
        error
    });
    assert_eq!(broken.unwrap().code, Code::EnhanceYourCalm);
    assert!(taken_back < 200, "{taken_back}");
    // Who takes back some and lets others be answered is well.
    let mut connection = established();
    for stream in (0..10_000).map(|number| 4 * number + 1) {
        let bytes = [request(stream, &GET, END_STREAM), reset(stream)].concat();
        connection.receive(&bytes).unwrap();
        connection.receive(&request(stream + 2, &GET, END_STREAM)).unwrap();
        let (stream, head, _) = next(&mut connection);
        answer(&mut connection, stream.0, true);
        connection.release(stream, head);
        output(&mut connection);
    }
}

#[test]
fn resets_that_the_client_provokes_are_limited() {
    // CVE-2025-8671.
    let provocations: [fn(u32) -> Vec<u8>; 4] = [
        |stream| window_update(stream, 0),
        |stream| window_update(stream, 0x7fff_ffff),
        |stream| data(stream, 0, b"x"),
        |stream| request(stream, &GET, END_STREAM),
    ];
    for provoke in provocations {
        let mut connection = established();
        let mut provoked = 0;
        let broken = (0..10_000).map(|number| 2 * number + 1).find_map(|stream| {
            provoked += 1;
            let bytes = [request(stream, &GET, END_STREAM), provoke(stream)].concat();
            let error = connection.receive(&bytes).err();
            while connection.next_event().is_some() {}
            error
        });
        assert_eq!(broken.unwrap().code, Code::EnhanceYourCalm);
        assert_eq!(provoked, 33);
    }
}

#[test]
fn malformed_requests_are_limited() {
    let mut connection = established();
    let broken = (0..100).find_map(|number| {
        let error = connection.receive(&request(2 * number + 1, &GET[1..], END_STREAM)).err();
        error.map(|error| (number, error.code))
    });
    assert_eq!(broken, Some((32, Code::EnhanceYourCalm)));
}

#[test]
fn frames_that_carry_nothing_are_limited() {
    let floods = [
        frame(4, 0, 0, &[]),
        frame(6, 0, 0, &[7; 8]),
        frame(6, ACK, 0, &[7; 8]),
        frame(2, 0, 1, &[0; 5]),
        frame(77, 0, 1, &[]),
        data(1, 0, &[]),
        window_update(0, 1),
        window_update(1, 1),
        [request(1, &[("x", "y")], 0), reset(1)].concat(),
    ];
    for flood in floods {
        let mut connection = established();
        connection.receive(&request(1, &POST, 0)).unwrap();
        let broken = (0..10_000).find_map(|_| {
            let error = connection.receive(&flood).err();
            assert!(connection.output().len() < 64 * 1024);
            error
        });
        assert_eq!(broken.map(|error| error.code), Some(Code::EnhanceYourCalm), "{flood:?}");
    }
}

#[test]
fn the_end_is_announced_and_then_said() {
    let mut connection = established();
    connection.receive(&request(1, &GET, END_STREAM)).unwrap();
    let (first, head, _) = next(&mut connection);
    connection.go_away();
    let frames = output(&mut connection);
    assert_eq!(frames.iter().map(|frame| frame.kind).collect::<Vec<_>>(), [7, 6]);
    assert_eq!(frames[0].payload, [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    connection.receive(&request(3, &GET, END_STREAM)).unwrap();
    let (third, other_head, _) = next(&mut connection);
    connection.receive(&frame(6, ACK, 0, &frames[1].payload)).unwrap();
    assert_eq!(output(&mut connection)[0].payload, [0, 0, 0, 3, 0, 0, 0, 0]);
    connection.receive(&request(5, &GET, END_STREAM)).unwrap();
    assert!(connection.next_event().is_none());
    for (stream, head) in [(first, head), (third, other_head)] {
        assert!(!connection.is_over());
        answer(&mut connection, stream.0, true);
        connection.release(stream, head);
    }
    assert!(connection.is_over());
}

#[test]
fn the_driver_is_woken_once() {
    let mut connection = established();
    for stream in [1, 3, 5] {
        connection.receive(&request(stream, &GET, END_STREAM)).unwrap();
    }
    let woken = Arc::new(Woken::default());
    connection.register_driver(&Context::from_waker(&Waker::from(woken.clone())));
    for stream in [1, 3, 5] {
        answer(&mut connection, stream, true);
    }
    assert_eq!(woken.0.load(Relaxed), 1);
}

/// Frames that are more or less in order.
fn some_frame() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![0..12_u32, Just(1_u32)];
    let flags = prop_oneof![Just(0), Just(END_STREAM), Just(END_HEADERS), Just(5), any::<u8>()];
    let payload = prop_oneof![
        Just(block(&GET)),
        Just(block(&POST)),
        prop::collection::vec(any::<u8>(), 0..40),
        Just(vec![0; 4]),
        Just(vec![0, 4, 0, 0, 0, 9]),
    ];
    prop_oneof![
        (0..12_u8, flags, stream, payload)
            .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload)),
        (0..200_u32).prop_map(|number| request(2 * number + 1, &POST, 0)),
        (0..200_u32).prop_map(|number| request(2 * number + 1, &GET, END_STREAM)),
        (0..20_u32).prop_map(|number| data(2 * number + 1, 0, b"hello")),
    ]
}

/// Serves whatever there is, some of it at once and some of it never.
fn serve_some(connection: &mut Connection, held: &mut Vec<(StreamId, RequestHead)>) {
    while let Some(event) = connection.next_event() {
        let (stream, head) = event.into_parts();
        answer(connection, stream.0, false);
        let _ = connection.poll_send(stream, &context(), b"hello");
        let _ = connection.poll_body(stream, &context());
        held.push((stream, head));
    }
    if held.len() > 5 {
        let (stream, head) = held.remove(0);
        connection.end(stream, None);
        connection.release(stream, head);
    }
}

proptest! {
    #[test]
    fn any_frames_are_dealt_with(
        frames in prop::collection::vec(some_frame(), 0..60),
        cut in 1..50_usize,
    ) {
        let mut connection = established();
        let mut held = Vec::new();
        for bytes in frames.concat().chunks(cut) {
            let failed = connection.receive(bytes).is_err();
            serve_some(&mut connection, &mut held);
            prop_assert!(connection.streams.len() <= MAX_STREAMS);
            prop_assert!(connection.output().len() < 64 * 1024);
            if failed {
                prop_assert!(connection.is_over());
            }
        }
        for (stream, head) in held {
            connection.release(stream, head);
        }
        while connection.next_event().is_some() {}
        output(&mut connection);
    }

    #[test]
    fn any_bytes_are_dealt_with(bytes: Vec<u8>) {
        let mut connection = established();
        let _ = connection.receive(&bytes);
        let mut connection = Connection::new();
        let _ = connection.receive(&bytes);
    }
}
