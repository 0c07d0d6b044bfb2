//! How it ends, and who is woken.

use super::*;

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
