//! Origins that cannot be reached, or say nothing.
//!
//! What nginx did: `proxy_connect_timeout` and `proxy_read_timeout`, in each location.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::Beside;
use crate::harness::http_client::post;
use crate::harness::origin::{Origin, read_head};
use crate::harness::replies::full;

#[tokio::test]
async fn a_refused_connection_is_a_502() {
    // Bound, so that nobody else gets the port, and never listened on.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let beside = Beside::start(socket.local_addr().unwrap()).await;
    for mut http in beside.both().await {
        for _ in 0..2 {
            assert_eq!(http.get("/broken/x").await.status, StatusCode::BAD_GATEWAY);
        }
        assert_eq!(http.request(post("/broken/x", full("body"))).await.status, 502);
    }
    let record = beside.gateway.record_of("/broken/x").await;
    assert!(record["error"].is_string(), "the log does not say why: {record}");
    assert!(record["upstream_status"].is_null(), "{record}");
    beside.was_unaffected().await;
}

#[tokio::test]
async fn a_connection_that_closes_before_an_answer_is_a_502() {
    let origin = Origin::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
    })
    .await;
    let beside = Beside::start(origin.addr()).await;
    for mut http in beside.both().await {
        let before = origin.connections();
        assert_eq!(http.get("/broken/x").await.status, StatusCode::BAD_GATEWAY);
        let tries = origin.connections() - before;
        assert!(tries <= 2, "one request was tried {tries} times");
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn an_accepted_connection_that_is_reset_at_once_is_a_502() {
    let origin = Origin::raw(|stream, _| async move {
        stream.set_zero_linger().unwrap();
    })
    .await;
    let beside = Beside::start(origin.addr()).await;
    for mut http in beside.both().await {
        assert_eq!(http.get("/broken/x").await.status, StatusCode::BAD_GATEWAY);
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn half_a_head_is_a_502() {
    let origin = Origin::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le").await.unwrap();
    })
    .await;
    let beside = Beside::start(origin.addr()).await;
    for mut http in beside.both().await {
        assert_eq!(http.get("/broken/x").await.status, StatusCode::BAD_GATEWAY);
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn an_origin_that_never_answers_is_a_504_after_first_byte() {
    let origin = Origin::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let upstream =
        format!("[upstream.slow]\nservers = [\"{}\"]\nfirst_byte = \"1s\"", origin.addr());
    let beside = Beside::start_with("slow", "", &upstream).await;
    for mut http in beside.both().await {
        let begin = Instant::now();
        assert_eq!(http.get("/broken/x").await.status, StatusCode::GATEWAY_TIMEOUT);
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(900), "given up after {took:?}");
        assert!(took < Duration::from_secs(5), "given up only after {took:?}");
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn a_head_that_stops_in_the_middle_is_a_504() {
    let origin = Origin::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Never: end").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let upstream =
        format!("[upstream.slow]\nservers = [\"{}\"]\nfirst_byte = \"1s\"", origin.addr());
    let beside = Beside::start_with("slow", "", &upstream).await;
    for mut http in beside.both().await {
        assert_eq!(http.get("/broken/x").await.status, StatusCode::GATEWAY_TIMEOUT);
    }
    beside.was_unaffected().await;
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_a_504_after_connect() {
    // A listener whose queue is full answers no further SYN.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(addr).unwrap();
    let full_queue = socket.listen(1).unwrap();
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(addr)).await
    {
        queued.push(stream);
    }
    let upstream = format!("[upstream.deaf]\nservers = [\"{addr}\"]\nconnect = \"1s\"");
    let beside = Beside::start_with("deaf", "", &upstream).await;
    for mut http in beside.both().await {
        let begin = Instant::now();
        assert_eq!(http.get("/broken/x").await.status, StatusCode::GATEWAY_TIMEOUT);
        assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
    }
    beside.was_unaffected().await;
    drop((queued, full_queue));
}

#[tokio::test]
async fn one_dead_server_of_two_does_not_fail_requests_that_can_be_served() {
    let healthy = Origin::text("second").await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let upstream = format!(
        "[upstream.pair]\nservers = [\"{}\", \"{}\"]",
        socket.local_addr().unwrap(),
        healthy.addr()
    );
    let beside = Beside::start_with("pair", "", &upstream).await;
    for mut http in beside.both().await {
        for number in 0..6 {
            // A connection that was refused has told nobody anything, so any method may go elsewhere.
            let reply = http.get("/broken/x").await;
            assert_eq!(reply.status, StatusCode::OK, "GET {number} over {:?}", http.version());
            let reply = http.request(post("/broken/x", full("body"))).await;
            assert_eq!(reply.status, StatusCode::OK, "POST {number} over {:?}", http.version());
        }
    }
    beside.was_unaffected().await;
}
