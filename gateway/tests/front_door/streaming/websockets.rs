//! WebSockets, without any key in the configuration.
//!
//! What nginx did: a map, four headers and two buffering switches in every location, and 24 hours for
//! reading and sending.

use futures_util::{SinkExt, StreamExt};
use hyper::StatusCode;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::{Origin, read_head, status};
use crate::harness::raw_client::Raw;
use crate::harness::ws_client::WebSocket;
use crate::harness::{config, one_site, within};

/// Echoes text and binary messages; pings are answered by the library.
async fn echo(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() || message.is_binary() {
            socket.send(message).await.unwrap();
        }
    }
}

async fn echoing(keys: &str) -> (Origin, Gateway) {
    let origin = Origin::raw(|stream, _| echo(stream)).await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), keys))).await;
    (origin, gateway)
}

async fn open(gateway: &Gateway) -> WebSocket {
    match WebSocket::open(gateway, "app.test", "/ws?room=1").await {
        Ok(socket) => socket,
        Err(status) => panic!("the upgrade was answered with {status}"),
    }
}

#[tokio::test]
async fn text_binary_ping_and_close_pass() {
    let (_origin, gateway) = echoing("").await;
    let mut socket = open(&gateway).await;
    for number in 0..20 {
        let text = Message::text(format!("message {number} ✓"));
        socket.send(text.clone()).await;
        assert_eq!(socket.receive().await, text);
    }
    let binary = Message::binary(vec![0, 159, 146, 150, 255]);
    socket.send(binary.clone()).await;
    assert_eq!(socket.receive().await, binary);
    socket.send(Message::Ping(b"are you there".to_vec().into())).await;
    assert_eq!(socket.receive().await, Message::Pong(b"are you there".to_vec().into()));
    let bye = CloseFrame { code: CloseCode::Library(4001), reason: "bye".into() };
    socket.send(Message::Close(Some(bye.clone()))).await;
    assert_eq!(socket.receive().await, Message::Close(Some(bye)));
    let end = socket.next().await;
    assert!(matches!(end, None | Some(Err(Error::ConnectionClosed))), "{end:?}");
}

#[tokio::test]
async fn a_large_message_passes() {
    let (_origin, gateway) = echoing("").await;
    let mut socket = open(&gateway).await;
    let large: Vec<u8> = (0..12_000_000_u32).map(|byte| byte.to_be_bytes()[2]).collect();
    socket.send(Message::binary(large.clone())).await;
    match socket.receive().await {
        Message::Binary(echo) => assert!(echo == large, "12 MB came back changed"),
        other => panic!("expected 12 MB back, got {other:?}"),
    }
}

#[tokio::test]
async fn the_server_may_speak_first() {
    let origin = Origin::raw(|stream, _| async move {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        socket.send(Message::text("welcome")).await.unwrap();
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut socket = open(&gateway).await;
    assert_eq!(socket.receive().await, Message::text("welcome"));
}

#[tokio::test]
async fn the_origin_sees_the_opening_request_as_it_was() {
    let (tell, mut told) = mpsc::channel(1);
    let origin = Origin::raw(move |stream, _| {
        let tell = tell.clone();
        async move {
            #[expect(clippy::result_large_err, reason = "the type is tungstenite's")]
            let look = |request: &Request, response: Response| {
                tell.try_send((request.uri().to_string(), request.headers().clone())).unwrap();
                Ok(response)
            };
            let mut socket = tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
        }
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let _socket = open(&gateway).await;
    let (uri, headers) = within("the opening request", told.recv()).await.unwrap();
    assert_eq!(uri, "/ws?room=1");
    assert_eq!(headers["host"], "app.test");
    assert_eq!(headers["x-real-ip"], "127.0.0.1");
    assert_eq!(headers["x-forwarded-proto"], "https");
}

#[tokio::test]
async fn a_refused_upgrade_is_the_origin_s_own_answer() {
    let origin = Origin::http(async |_| status(StatusCode::FORBIDDEN, "members only")).await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let refused = WebSocket::open(&gateway, "app.test", "/ws").await.err();
    assert_eq!(refused, Some(StatusCode::FORBIDDEN));
    let mut http = Http::http1(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_origin_that_disappears_ends_the_client_s_side() {
    let origin = Origin::raw(|stream, _| async move {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        // The first message is answered by leaving without a word.
        drop(socket.next().await);
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut socket = open(&gateway).await;
    socket.send(Message::text("hello?")).await;
    let end = socket.next().await;
    assert!(!matches!(end, Some(Ok(Message::Text(_)))), "{end:?}");
}

#[tokio::test]
async fn a_client_that_disappears_ends_the_origin_s_side() {
    let (tell, mut told) = mpsc::channel(1);
    let origin = Origin::raw(move |stream, _| {
        let tell = tell.clone();
        async move {
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
            tell.send(()).await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let socket = open(&gateway).await;
    drop(socket);
    within("the origin to see that the client has gone", told.recv()).await;
}

#[tokio::test]
async fn a_silent_socket_is_closed_after_idle_and_one_that_speaks_is_not() {
    let (_origin, gateway) = echoing("idle = \"2s\"").await;
    let mut silent = open(&gateway).await;
    let mut speaking = open(&gateway).await;
    let ended = silent.next();
    tokio::pin!(ended);
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(200));
    let end = loop {
        tokio::select! {
            end = &mut ended => break end,
            _ = pace.tick() => {
                speaking.send(Message::text("here")).await;
                assert_eq!(speaking.receive().await, Message::text("here"));
            }
        }
    };
    assert!(!matches!(end, Some(Ok(Message::Text(_)))), "{end:?}");
    speaking.send(Message::text("still here")).await;
    assert_eq!(speaking.receive().await, Message::text("still here"));
}

/// Waits until each of the other time-outs has cut somebody off.
async fn everyone_else_is_cut_off(gateway: &Gateway) {
    let handshake = async {
        let mut silent = Raw::plain(gateway.https()).await;
        assert!(silent.rest().await.is_empty(), "before its handshake");
    };
    let keepalive = async {
        let mut idle = Raw::tls(gateway, "app.test").await;
        assert!(idle.rest().await.is_empty(), "before its first request");
    };
    let header = async {
        let mut half = Raw::tls(gateway, "app.test").await;
        half.write("GET / HTTP/1.1\r\nHost: app").await;
        assert_eq!(half.head().await.map(|head| head.status), Some(408));
    };
    let body = async {
        let mut upload = Raw::tls(gateway, "app.test").await;
        upload.write("POST /upload HTTP/1.1\r\nHost: app.test\r\nContent-Length: 9\r\n\r\nx").await;
        assert_eq!(upload.head().await.map(|head| head.status), Some(408));
    };
    let first_byte = async {
        let mut http = Http::http2(gateway, "app.test").await;
        assert_eq!(http.get("/silent").await.status, StatusCode::GATEWAY_TIMEOUT);
    };
    tokio::join!(handshake, keepalive, header, body, first_byte);
}

#[tokio::test]
async fn a_silent_socket_outlives_every_other_time_out() {
    let origin = Origin::raw(|stream, _| echo(stream)).await;
    let silent =
        Origin::raw(|mut stream, _| async move { while read_head(&mut stream).await.is_some() {} })
            .await;
    let server = "handshake = \"1s\"\nheader = \"1s\"\nkeepalive = \"1s\"";
    let toml = format!(
        "[upstream.echo]\nservers = [\"{}\"]\nconnect = \"1s\"\nfirst_byte = \"1s\"\n\
         [upstream.silent]\nservers = [\"{}\"]\nconnect = \"1s\"\nfirst_byte = \"1s\"\n\
         [site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
         {{ path = \"/ws\", to = \"echo\" }},\n\
         {{ path = \"/upload\", to = \"silent\", idle = \"1s\" }},\n\
         {{ path = \"/silent\", to = \"silent\" }},\n]\n",
        origin.addr(),
        silent.addr()
    );
    let gateway = Gateway::start(&config(server, &toml)).await;
    let mut socket = open(&gateway).await;
    socket.send(Message::text("before")).await;
    assert_eq!(socket.receive().await, Message::text("before"));
    // Twice, so that each time has passed for certain.
    everyone_else_is_cut_off(&gateway).await;
    everyone_else_is_cut_off(&gateway).await;
    socket.send(Message::text("after")).await;
    assert_eq!(socket.receive().await, Message::text("after"));
}
