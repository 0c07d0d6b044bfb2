use super::*;
use serde_json::json;

const ITEMS: &str = "/api/v1/items";

async fn next_event(stream: &mut Incoming) -> String {
    let frame = patiently(stream.frame()).await;
    let data = frame.expect("an open stream").expect("a frame").into_data();
    String::from_utf8(data.expect("data").to_vec()).expect("a text")
}

#[tokio::test]
async fn events_come_one_by_one_as_they_are_sent() {
    let origins = start().await.expect("started");
    let answer = open(origins.backend, request("GET", "/api/v1/events", "")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(!answer.headers().contains_key("content-length"));

    let mut stream = answer.into_body();
    let first = next_event(&mut stream).await;
    assert!(first.starts_with("id: 1\nevent: tick\ndata: {\"time_unix_ms\":"), "{first}");
    assert!(first.ends_with("\"items\":5,\"followers\":1}\n\n"), "{first}");

    send(origins.backend, "POST", ITEMS, r#"{"name":"Tea"}"#).await;
    let mut number = 1;
    let change = loop {
        number += 1;
        let event = next_event(&mut stream).await;
        assert!(event.starts_with(&format!("id: {number}\n")), "{event}");
        if !event.contains("event: tick\n") {
            break event;
        }
    };
    let told = r#"data: {"type":"added","item":{"id":6,"name":"Tea"}}"#;
    assert_eq!(change, format!("id: {number}\nevent: change\n{told}\n\n"));
    let tick = next_event(&mut stream).await;
    assert!(tick.contains("event: tick\n") && tick.contains("\"items\":6"), "{tick}");
}

#[tokio::test]
async fn events_go_on_where_the_reader_was() {
    let origins = start().await.expect("started");
    for (last, first) in [("41", "id: 42\n"), ("18446744073709551615", "id: 0\n"), ("x", "id: 1\n")]
    {
        let mut request = request("GET", "/api/v1/events", "");
        let last = last.parse().expect("a header's value");
        request.headers_mut().insert("last-event-id", last);
        let mut stream = open(origins.backend, request).await.into_body();
        let event = next_event(&mut stream).await;
        assert!(event.starts_with(first), "{event}");
    }
}

#[tokio::test]
async fn followers_are_counted_while_they_follow() {
    let origins = start().await.expect("started");
    let mut stream = open(origins.backend, request("GET", "/api/v1/events", "")).await.into_body();
    let socket = TestSocket::connect(origins.backend, "/api/v1/ws/list").await;
    let followers = async || {
        let info = get(origins.backend, "/api/v1/system/info").await.json();
        info["followers"].as_u64().expect("a number")
    };
    next_event(&mut stream).await;
    patiently(async { while followers().await != 2 {} }).await;
    drop((stream, socket));
    patiently(async { while followers().await != 0 {} }).await;
}

#[tokio::test]
async fn the_list_socket_shares_every_change_with_all() {
    let origins = start().await.expect("started");
    let mut one = TestSocket::connect(origins.backend, "/api/v1/ws/list").await;
    let mut two = TestSocket::connect(origins.backend, "/api/v1/ws/list").await;
    for socket in [&mut one, &mut two] {
        let list = socket.receive_json().await;
        assert_eq!(list["type"], "list");
        assert_eq!(list["items"].as_array().expect("a list").len(), 5);
    }

    one.send(Message::text(r#"{"add":"Tea"}"#)).await;
    send(origins.backend, "POST", ITEMS, r#"{"name":"Salt"}"#).await;
    let mut told = Vec::new();
    for socket in [&mut one, &mut two] {
        told.push([socket.receive_json().await, socket.receive_json().await]);
    }
    assert_eq!(told[0], told[1]);
    let mut names = told[0].each_ref().map(|change| change["item"]["name"].clone());
    names.sort_by_key(Value::to_string);
    assert_eq!(names, [json!("Salt"), json!("Tea")]);

    one.send(Message::text(r#"{"remove":6}"#)).await;
    for socket in [&mut one, &mut two] {
        assert_eq!(socket.receive_json().await, json!({ "type": "removed", "id": 6 }));
    }
    send(origins.backend, "DELETE", ITEMS, "").await;
    for socket in [&mut one, &mut two] {
        assert_eq!(socket.receive_json().await, json!({ "type": "list", "items": [] }));
    }
}

#[tokio::test]
async fn the_list_socket_returns_what_is_no_command_and_refuses_what_is_wrong() {
    let origins = start().await.expect("started");
    let mut socket = TestSocket::connect(origins.backend, "/api/v1/ws/list").await;
    socket.receive_json().await;
    for text in ["hello", "", "null", r#"{"add":3}"#, r#"{"drop":"x"}"#] {
        socket.send(Message::text(text)).await;
        assert_eq!(socket.receive().await, Message::text(text));
    }
    socket.send(Message::binary(vec![0, 255])).await;
    assert_eq!(socket.receive().await, Message::binary(vec![0, 255]));
    for (command, error) in
        [(r#"{"remove":99}"#, "There is no item 99."), (r#"{"add":" "}"#, "An item needs a name.")]
    {
        socket.send(Message::text(command)).await;
        let refused = json!({ "type": "error", "error": error });
        assert_eq!(socket.receive_json().await, refused);
    }
}

#[tokio::test]
async fn the_echo_socket_returns_text_and_binary_and_answers_pings() {
    let origins = start().await.expect("started");
    let mut socket = TestSocket::connect(origins.backend, "/api/v1/ws/echo").await;
    let large = vec![7; 1 << 20];
    for message in [Message::text("žluť"), Message::binary(large), Message::text("")] {
        socket.send(message.clone()).await;
        assert_eq!(socket.receive().await, message);
    }
    socket.send(Message::Ping(Bytes::from_static(b"1"))).await;
    assert_eq!(socket.receive().await, Message::Pong(Bytes::from_static(b"1")));
    socket.send(Message::Close(None)).await;
    assert_eq!(socket.receive().await, Message::Close(None));
}

#[tokio::test]
async fn a_message_that_is_too_long_closes_its_socket_with_1009() {
    let origins = start().await.expect("started");
    let mut socket = TestSocket::connect(origins.backend, "/api/v1/ws/echo").await;
    // Only the frame's head is sent, so that the answer cannot be lost to a reset.
    let mut head = vec![0x82, 0x80 | 127];
    head.extend(((4 << 20) + 1_u64).to_be_bytes());
    head.extend([0; 4]);
    tokio::io::AsyncWriteExt::write_all(socket.0.get_mut(), &head).await.expect("written");
    let Message::Close(Some(frame)) = socket.receive().await else {
        panic!("a close frame was expected");
    };
    assert_eq!(u16::from(frame.code), 1009);
}

#[tokio::test]
async fn a_plain_request_to_a_socket_is_told_to_upgrade() {
    let origins = start().await.expect("started");
    for path in ["/api/v1/ws/list", "/api/v1/ws/echo"] {
        let answer = get(origins.backend, path).await;
        assert_eq!(answer.status, StatusCode::UPGRADE_REQUIRED, "{path}");
        assert_eq!(answer.header("upgrade"), "websocket");
        let sentence = "This path is a WebSocket's: connect to it with a WebSocket client.";
        assert_eq!(answer.json()["error"], sentence);
    }
}
