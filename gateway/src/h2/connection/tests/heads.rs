//! Heads of requests and answers.

use super::*;

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
