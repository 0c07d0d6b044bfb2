//! What a client may make the connection do.

use super::*;

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
