//! What breaks a stream, and what a connection.

use super::*;

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
