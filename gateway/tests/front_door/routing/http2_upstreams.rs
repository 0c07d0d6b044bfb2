//! `h2c://` upstreams, which gRPC is spoken to over.

use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, TE, TRAILER};
use hyper::{HeaderMap, Request, Response, StatusCode};
use tokio::io::AsyncReadExt;
use tokio::sync::{mpsc, oneshot};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, get_with, post};
use crate::harness::origin::{Origin, echo, echoed, echoed_once};
use crate::harness::raw_client::Raw;
use crate::harness::replies::{Body, channel, check_pattern, empty, full, patterned};
use crate::harness::{config, eventually, one_site, within};

async fn in_front_of(origin: &Origin) -> Gateway {
    let site = one_site(format_args!("h2c://{}", origin.addr()), "body = \"1GiB\"");
    Gateway::start(&config("workers = 1", &site)).await
}

#[tokio::test]
async fn requests_arrive_as_http2_has_them() {
    let origin = Origin::h2c(echo).await;
    let gateway = in_front_of(&origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let asked = [("x-mine", "1"), ("x-forwarded-for", "6.6.6.6"), ("te", "trailers")];
        let seen = http.request(get_with("/a/b?c=d", &asked)).await.json();
        let target = seen["target"].as_str().unwrap();
        assert_eq!(target, "http://app.test/a/b?c=d", "over {:?}", http.version());
        assert_eq!(echoed_once(&seen, "x-mine").as_deref(), Some("1"));
        assert_eq!(echoed_once(&seen, "x-forwarded-for").as_deref(), Some("127.0.0.1"));
        assert_eq!(echoed_once(&seen, "te").as_deref(), Some("trailers"));
        for name in ["host", "connection", "transfer-encoding", "upgrade"] {
            assert_eq!(echoed(&seen, name), Vec::<String>::new(), "{name}");
        }
        let seen = http.request(post("/", full("hello"))).await.json();
        assert_eq!((&seen["body"], &seen["method"]), (&"hello".into(), &"POST".into()));
    }
}

#[tokio::test]
async fn requests_share_a_connection_and_do_not_wait_for_each_other() {
    let (release, held) = oneshot::channel::<()>();
    let held = std::sync::Arc::new(std::sync::Mutex::new(Some(held)));
    let origin = Origin::h2c(move |request| {
        let held = (request.uri().path() == "/slow").then(|| held.lock().unwrap().take().unwrap());
        async move {
            if let Some(held) = held {
                held.await.unwrap();
            }
            Response::new(full("done"))
        }
    })
    .await;
    let gateway = in_front_of(&origin).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/first").await.text(), "done");
    let mut beside = http.beside();
    let slow = tokio::spawn(async move { beside.get("/slow").await.text() });
    eventually("the slow request at the origin", async || {
        origin.seen().iter().any(|seen| seen.ends_with("/slow")).then_some(())
    })
    .await;
    for _ in 0..20 {
        assert_eq!(http.get("/quick").await.text(), "done");
    }
    release.send(()).unwrap();
    assert_eq!(slow.await.unwrap(), "done");
    assert_eq!(origin.connections(), 1);
}

/// A call as gRPC makes it: every message is answered while the request goes on, and the status
/// stands behind the answer.
async fn call(request: Request<Incoming>) -> Response<Body> {
    assert_eq!(request.headers()[TE], "trailers");
    let (answer, frames) = mpsc::channel::<Frame<bytes::Bytes>>(1);
    tokio::spawn(async move {
        let mut body = request.into_body();
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(data) = frame.into_data() {
                answer.send(Frame::data(data)).await.unwrap();
            }
        }
        let mut status = HeaderMap::new();
        status.insert("grpc-status", "0".parse().unwrap());
        answer.send(Frame::trailers(status)).await.unwrap();
    });
    let frames = futures_util::stream::unfold(frames, async |mut frames| {
        Some((Ok(frames.recv().await?), frames))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, "application/grpc".parse().unwrap());
    response
}

fn grpc(body: Body) -> Request<Body> {
    let mut request = post("/list.Lists/Watch", body);
    request.headers_mut().insert(CONTENT_TYPE, "application/grpc".parse().unwrap());
    request.headers_mut().insert(TE, "trailers".parse().unwrap());
    request
}

#[tokio::test]
async fn grpc_streams_both_ways_at_once_and_ends_with_its_status() {
    let origin = Origin::h2c(call).await;
    let gateway = in_front_of(&origin).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let (messages, body) = channel();
    let mut response = http.send(grpc(body)).await.unwrap();
    for message in ["one", "two", "three"] {
        messages.send(Ok(message.into())).await.unwrap();
        let frame = within("the message's echo", response.body_mut().frame()).await;
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), message);
    }
    drop(messages);
    let rest = within("the call's end", response.into_body().collect()).await.unwrap();
    assert_eq!(rest.trailers().expect("no status")["grpc-status"], "0");
    assert_eq!(rest.to_bytes(), "");
}

#[tokio::test]
async fn a_grpc_error_without_a_message_arrives_as_it_is() {
    let origin = Origin::h2c(async |_| {
        let mut response = Response::new(empty());
        response.headers_mut().insert("grpc-status", "12".parse().unwrap());
        response
    })
    .await;
    let gateway = in_front_of(&origin).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let reply = http.request(grpc(full("x"))).await;
    assert_eq!(reply.header("grpc-status").as_deref(), Some("12"));
}

#[tokio::test]
async fn large_bodies_pass_whole_both_ways() {
    const TOTAL: u64 = 24 << 20;
    let origin = Origin::h2c(async |mut request: Request<Incoming>| {
        let came = check_pattern(request.body_mut()).await.unwrap();
        let mut response = Response::new(patterned(came));
        response.headers_mut().insert(TRAILER, "x".parse().unwrap());
        response
    })
    .await;
    let gateway = in_front_of(&origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for sized in [false, true] {
            let mut request = post("/", patterned(TOTAL));
            if sized {
                request.headers_mut().insert(CONTENT_LENGTH, TOTAL.into());
            }
            let response = within("24 MiB up", http.send_slowly(request)).await.unwrap();
            assert_eq!(check_pattern(&mut response.into_body()).await.unwrap(), TOTAL);
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody_else() {
    let origin = Origin::h2c(async |request: Request<Incoming>| {
        let total = if request.uri().path() == "/much" { 64 << 20 } else { 3 };
        Response::new(patterned(total))
    })
    .await;
    let gateway = in_front_of(&origin).await;
    let mut stuck = Vec::new();
    for _ in 0..40 {
        let mut http = Http::http1(&gateway, "app.test").await;
        let response = http.send(get("/much")).await.unwrap();
        stuck.push((http, response));
    }
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/little").await.body.len(), 3);
}

#[tokio::test]
async fn a_client_that_waits_for_100_is_told_to_go_on() {
    let origin = Origin::h2c(echo).await;
    let gateway = in_front_of(&origin).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write(
        "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    assert_eq!(raw.head().await.expect("closed instead of 100").status, 100);
    raw.write("hello").await;
    let (head, body) = raw.reply().await.expect("closed instead of an answer");
    assert_eq!(head.status, 200, "{head:?}");
    let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen["body"], "hello");
}

#[tokio::test]
async fn an_origin_that_came_back_is_asked_over_a_new_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let site = one_site(format_args!("h2c://{addr}"), "");
    let gateway = Gateway::start(&config("workers = 1", &site)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.status, StatusCode::BAD_GATEWAY);
    for round in 0..3 {
        let origin = Origin::h2c_at(addr, echo).await;
        assert_eq!(http.get("/").await.status, StatusCode::OK, "round {round}");
        drop(origin);
    }
}

#[tokio::test]
async fn what_is_no_http2_and_what_resets_streams_is_a_502() {
    let no_http2 = Origin::echo().await;
    let deaf = Origin::raw(|mut stream, _| async move {
        // The client's preface is read, so that the end is not a reset.
        let mut space = [0; 24];
        drop(stream.read_exact(&mut space).await);
    })
    .await;
    for origin in [no_http2, deaf] {
        let gateway = in_front_of(&origin).await;
        for mut http in Http::both(&gateway, "app.test").await {
            assert_eq!(http.get("/failing").await.status, StatusCode::BAD_GATEWAY);
        }
        let record = gateway.record_of("/failing").await;
        assert_ne!(record["error"], serde_json::Value::Null, "{record}");
    }
}

#[tokio::test]
async fn a_websocket_cannot_be_had_of_http2_and_is_not_pretended() {
    let origin = Origin::h2c(echo).await;
    let gateway = in_front_of(&origin).await;
    let mut http = Http::http1(&gateway, "app.test").await;
    let asked = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let reply = http.request(get_with("/ws", &asked)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(echoed(&reply.json(), "upgrade"), Vec::<String>::new());
}
