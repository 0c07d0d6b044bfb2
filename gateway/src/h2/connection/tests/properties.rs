//! Whatever comes.

use super::*;

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
