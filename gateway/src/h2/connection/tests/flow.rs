//! Bodies, and the windows that they fit into.

use super::*;

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
