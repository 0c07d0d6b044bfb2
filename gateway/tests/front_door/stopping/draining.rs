//! What becomes of those who are in.

use std::sync::Arc;

use futures_util::StreamExt;
use hyper::{Response, StatusCode};
use nix::sys::signal::Signal;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::harness::gateway::Gateway;
use crate::harness::h2_frames::{self, GOAWAY, Http2Frames};
use crate::harness::http_client::{Http, get};
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::replies::{Events, channel, full};
use crate::harness::tls_client::Tls;
use crate::harness::ws_client::WebSocket;
use crate::harness::{answering_site, config, eventually, one_site, within};

/// An origin that says when a request has arrived, and answers when the test lets it.
pub(super) struct Held {
    pub(super) origin: Origin,
    arrived: mpsc::Receiver<()>,
    pub(super) release: Arc<Semaphore>,
}

impl Held {
    pub(super) async fn start() -> Self {
        let (tell, arrived) = mpsc::channel(8);
        let release = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&release);
        let origin = Origin::http(move |_| {
            let (tell, gate) = (tell.clone(), Arc::clone(&gate));
            async move {
                tell.send(()).await.unwrap();
                gate.acquire().await.unwrap().forget();
                Response::new(full("finished"))
            }
        })
        .await;
        Self { origin, arrived, release }
    }

    pub(super) async fn arrived(&mut self) {
        within("the request to reach the origin", self.arrived.recv()).await;
    }
}

/// Waits until new connections are turned away. One that was queued before the listener closed is
/// reset, or closed without a word.
pub(super) async fn closed_to_newcomers(gateway: &Gateway) {
    let tls = Tls::trusting(&gateway.local_ca());
    eventually("new TLS connections to be turned away", async || {
        tls.try_connect(gateway.https(), "app.test").await.is_err().then_some(())
    })
    .await;
    eventually("new plain connections to be turned away", async || {
        let Ok(stream) = TcpStream::connect(gateway.http()).await else { return Some(()) };
        let mut raw = Raw::over(stream);
        raw.write("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        raw.rest().await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn requests_under_way_are_finished_and_nobody_new_is_let_in() {
    for is_http2 in [false, true] {
        let mut held = Held::start().await;
        let mut gateway =
            Gateway::start(&config("drain = \"60s\"", &one_site(held.origin.addr(), ""))).await;
        let mut http = if is_http2 {
            Http::http2(&gateway, "app.test").await
        } else {
            Http::http1(&gateway, "app.test").await
        };
        let request = tokio::spawn(async move { http.get("/").await });
        held.arrived().await;
        gateway.signal(Signal::SIGTERM);
        closed_to_newcomers(&gateway).await;
        assert!(gateway.is_running(), "it did not wait for the request");

        held.release.add_permits(1);
        let reply = request.await.unwrap();
        assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "finished"));
        let status = gateway.exited().await;
        assert!(status.success(), "it ended with {status}");
    }
}

#[tokio::test]
async fn a_body_under_way_is_finished() {
    let (give, mut take) = mpsc::channel(1);
    let origin = Origin::http(move |_| {
        let give = give.clone();
        async move {
            let (sender, body) = channel();
            give.send(sender).await.unwrap();
            Response::new(body)
        }
    })
    .await;
    for is_http2 in [false, true] {
        let mut gateway =
            Gateway::start(&config("drain = \"60s\"", &one_site(origin.addr(), ""))).await;
        let mut http = if is_http2 {
            Http::http2(&gateway, "app.test").await
        } else {
            Http::http1(&gateway, "app.test").await
        };
        let response = http.send(get("/")).await.unwrap();
        let sender = take.recv().await.unwrap();
        let mut events = Events::of(response);
        sender.send(Ok("one\n\n".into())).await.unwrap();
        assert_eq!(events.next().await.unwrap().as_deref(), Some("one"));
        gateway.signal(Signal::SIGTERM);
        closed_to_newcomers(&gateway).await;
        sender.send(Ok("two\n\n".into())).await.unwrap();
        assert_eq!(events.next().await.unwrap().as_deref(), Some("two"));
        drop(sender);
        assert_eq!(events.next().await.unwrap(), None);
        assert!(gateway.exited().await.success());
    }
}

#[tokio::test]
async fn the_last_answer_on_http1_says_that_the_connection_closes() {
    let mut held = Held::start().await;
    let mut gateway =
        Gateway::start(&config("drain = \"60s\"", &one_site(held.origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n").await;
    held.arrived().await;
    gateway.signal(Signal::SIGTERM);
    closed_to_newcomers(&gateway).await;
    held.release.add_permits(1);
    let head = raw.head().await.expect("closed instead of the answer");
    assert_eq!(head.status, 200, "{head:?}");
    assert_eq!(head.field("connection"), Some("close"), "{head:?}");
    raw.rest().await;
    assert!(gateway.exited().await.success());
}

#[tokio::test]
async fn http2_clients_are_told_to_go_away() {
    let mut held = Held::start().await;
    let mut gateway =
        Gateway::start(&config("drain = \"60s\"", &one_site(held.origin.addr(), ""))).await;
    let mut frames = Http2Frames::connect(&gateway, "app.test").await;
    frames.request(1, &h2_frames::get("app.test", "/"), h2_frames::END_STREAM).await;
    held.arrived().await;
    gateway.signal(Signal::SIGTERM);
    loop {
        let frame = frames.next().await.expect("the connection ended without GOAWAY");
        if frame.kind == GOAWAY {
            assert_eq!(frame.payload[4..8], [0; 4], "the error code of a GOAWAY that is no error");
            break;
        }
    }
    held.release.add_permits(1);
    assert_eq!(frames.outcome(1).await, h2_frames::Outcome::Status(200));
    assert!(gateway.exited().await.success());
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let mut gateway = Gateway::start(&config("drain = \"60s\"", &answering_site("app.test"))).await;
    let [mut http1, mut http2] = Http::both(&gateway, "app.test").await;
    http1.get("/").await;
    http2.get("/").await;
    let mut plain = Http::plain(gateway.http(), "app.test").await;
    plain.get("/healthz").await;
    let status = gateway.stop().await;
    assert!(status.success(), "it ended with {status}");
    http1.closed().await;
    http2.closed().await;
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_holds_it_up_no_longer_than_it_may() {
    let server = "drain = \"60s\"\nhandshake = \"2s\"";
    let mut gateway = Gateway::start(&config(server, &answering_site("app.test"))).await;
    let silent = TcpStream::connect(gateway.https()).await.unwrap();
    Http::http2(&gateway, "app.test").await.get("/").await;
    let status = gateway.stop().await;
    assert!(status.success(), "it ended with {status}");
    drop(silent);
}

#[tokio::test]
async fn a_request_that_does_not_end_in_time_is_broken_off() {
    for is_http2 in [false, true] {
        let mut held = Held::start().await;
        let mut gateway =
            Gateway::start(&config("drain = \"1s\"", &one_site(held.origin.addr(), ""))).await;
        let mut http = if is_http2 {
            Http::http2(&gateway, "app.test").await
        } else {
            Http::http1(&gateway, "app.test").await
        };
        let request = tokio::spawn(async move { http.try_request(get("/")).await });
        held.arrived().await;
        let status = gateway.stop().await;
        assert!(status.success(), "it ended with {status}");
        if let Ok(reply) = request.await.unwrap() {
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "an answer from nowhere");
        }
    }
}

#[tokio::test]
async fn websockets_may_go_on_until_drain_ends_and_are_then_closed_with_1001() {
    let origin = Origin::raw(|stream, _| async move {
        let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
        let (sink, source) = socket.split();
        // An echo that also passes the other side's close on.
        drop(source.forward(sink).await);
    })
    .await;
    let mut gateway = Gateway::start(&config("drain = \"3s\"", &one_site(origin.addr(), ""))).await;
    let Ok(mut socket) = WebSocket::open(&gateway, "app.test", "/ws").await else {
        panic!("the WebSocket was refused")
    };
    socket.send(Message::text("before")).await;
    assert_eq!(socket.receive().await, Message::text("before"));
    gateway.signal(Signal::SIGTERM);
    closed_to_newcomers(&gateway).await;
    socket.send(Message::text("while it drains")).await;
    assert_eq!(socket.receive().await, Message::text("while it drains"));
    match socket.receive().await {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Away, "{frame:?}"),
        other => panic!("expected a close with 1001, got {other:?}"),
    }
    let status = gateway.exited().await;
    assert!(status.success(), "it ended with {status}");
}
