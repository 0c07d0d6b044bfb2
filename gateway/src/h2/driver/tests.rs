//! The whole of it, with a client that somebody else has written.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::downstream::{Downstream, Framing, Piece};
use crate::head::{Fields, ResponseHead};

const LIMITS: Limits =
    Limits { header: Duration::from_secs(10), keepalive: Duration::from_secs(75) };

/// Answers with what was asked: the path and the body.
async fn echo(asked: Asked) {
    let (mut request, status) = match asked {
        Asked::Request(request) => (request, StatusCode::OK),
        Asked::HeadTooLarge(request) => (request, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    };
    let asked = request.take_head();
    let mut head = ResponseHead { status, fields: Fields::default() };
    head.fields.add(b"server", b"echo");
    head.fields.add(b"x-path", asked.target().as_bytes());
    if status != StatusCode::OK || asked.method == Method::HEAD {
        return request.send_head(&head, true);
    }
    request.send_head(&head, false);
    let (mut trailers, mut whole) = (None, request.framing() == Framing::Empty);
    while !whole {
        match poll_fn(|cx| request.poll_body(cx)).await {
            Ok(Piece::Data(data)) => {
                if send(&mut request, &data).await.is_err() {
                    return;
                }
            }
            Ok(Piece::End(fields)) => (trailers, whole) = (fields, true),
            Err(_) => return,
        }
    }
    request.end(trailers.as_deref());
}

async fn send(
    request: &mut Http2Request,
    mut data: &[u8],
) -> Result<(), crate::downstream::ClientError> {
    while !data.is_empty() {
        let sent = poll_fn(|cx| request.poll_send(cx, data)).await?;
        data = &data[sent..];
    }
    poll_fn(|cx| request.poll_flush(cx)).await
}

fn serve_with<A, T>(
    limits: Limits,
    draining: impl Future<Output = ()> + Send + 'static,
    answer: A,
) -> (DuplexStream, JoinHandle<()>)
where
    A: Fn(Asked) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let (client, mut server) = duplex(64 * 1024);
    let serving = tokio::spawn(async move {
        drive(&mut server, limits, draining, answer).await;
        let _ = server.shutdown().await;
    });
    (client, serving)
}

fn serve() -> (DuplexStream, JoinHandle<()>) {
    serve_with(LIMITS, std::future::pending(), echo)
}

async fn connect(stream: DuplexStream) -> ::h2::client::SendRequest<Bytes> {
    let (client, connection) = ::h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn body_of(mut body: ::h2::RecvStream) -> Result<(Vec<u8>, Option<HeaderMap>), ::h2::Error> {
    let mut all = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        all.extend_from_slice(&data);
    }
    Ok((all, body.trailers().await?))
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("https://app.test{path}")).body(()).unwrap()
}

#[tokio::test]
async fn many_requests_side_by_side() {
    let mut client = connect(serve().0).await;
    for round in 0..50 {
        let mut waiting = Vec::new();
        for number in 0..20 {
            client = client.ready().await.unwrap();
            let path = format!("/{round}/{number}");
            waiting.push((path.clone(), client.send_request(get(&path), true).unwrap().0));
        }
        for (path, answer) in waiting {
            let answer = answer.await.unwrap();
            assert_eq!(answer.headers()["x-path"], path);
            assert_eq!(answer.headers()["server"], "echo");
            assert!(body_of(answer.into_body()).await.unwrap().0.is_empty());
        }
    }
}

#[tokio::test]
async fn bodies_go_both_ways_with_trailers() {
    let mut client = connect(serve().0).await;
    let request = Request::post("https://app.test/up").body(()).unwrap();
    let (answer, mut up) = client.send_request(request, false).unwrap();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let expected = sent.clone();
    tokio::spawn(async move {
        let mut rest = Bytes::from(sent);
        while !rest.is_empty() {
            up.reserve_capacity(rest.len());
            let room = poll_fn(|cx| up.poll_capacity(cx)).await.unwrap().unwrap();
            up.send_data(rest.split_to(room.min(rest.len())), false).unwrap();
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "17".parse().unwrap());
        up.send_trailers(trailers).unwrap();
    });
    let (body, trailers) = body_of(answer.await.unwrap().into_body()).await.unwrap();
    assert!(body == expected, "{} bytes of {}", body.len(), expected.len());
    assert_eq!(trailers.unwrap()["x-sum"], "17");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered() {
    let mut client = connect(serve().0).await;
    let mut request = get("/large");
    for number in 0..5 {
        let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
        request.headers_mut().insert(name, "y".repeat(15_000).parse().unwrap());
    }
    let (answer, _) = client.send_request(request, true).unwrap();
    assert_eq!(answer.await.unwrap().status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    client = client.ready().await.unwrap();
    let (answer, _) = client.send_request(get("/after"), true).unwrap();
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn an_answer_that_is_given_up_is_reset() {
    let (stream, _) = serve_with(LIMITS, std::future::pending(), |asked| async move {
        let Asked::Request(mut request) = asked else { return };
        request.send_head(&ResponseHead::default(), false);
        let _ = send(&mut request, b"half of it").await;
    });
    let mut client = connect(stream).await;
    let (answer, _) = client.send_request(get("/"), true).unwrap();
    let error = body_of(answer.await.unwrap().into_body()).await.unwrap_err();
    assert_eq!(error.reason(), Some(::h2::Reason::INTERNAL_ERROR));
}

#[tokio::test]
async fn an_early_answer_is_whole() {
    let (stream, _) = serve_with(LIMITS, std::future::pending(), |asked| async move {
        let Asked::Request(mut request) = asked else { return };
        request.send_head(&ResponseHead::default(), false);
        let _ = send(&mut request, b"enough").await;
        request.end(None);
    });
    let mut client = connect(stream).await;
    let request = Request::post("https://app.test/up").body(()).unwrap();
    let (answer, up) = client.send_request(request, false).unwrap();
    assert_eq!(body_of(answer.await.unwrap().into_body()).await.unwrap().0, b"enough");
    drop(up);
}

#[tokio::test]
async fn a_client_that_goes_away_is_noticed() {
    let noticed = Arc::new(Notify::new());
    let notify = noticed.clone();
    let (stream, serving) = serve_with(LIMITS, std::future::pending(), move |asked| {
        let notify = notify.clone();
        async move {
            let Asked::Request(mut request) = asked else { return };
            assert_eq!(request.framing(), Framing::Empty);
            assert!(poll_fn(|cx| request.poll_body(cx)).await.is_err());
            assert!(poll_fn(|cx| request.poll_send(cx, b"x")).await.is_err());
            notify.notify_one();
        }
    });
    let mut client = connect(stream).await;
    // One that is taken back in the same breath is not begun at all.
    let (answer, mut sending) = client.send_request(get("/"), true).unwrap();
    sending.send_reset(::h2::Reason::CANCEL);
    drop((answer, sending));
    client = client.ready().await.unwrap();
    let (answer, sending) = client.send_request(get("/"), true).unwrap();
    tokio::task::yield_now().await;
    drop((client, answer, sending));
    noticed.notified().await;
    serving.await.unwrap();
}

#[tokio::test]
async fn draining_lets_requests_end() {
    let (drain, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (draining, held) = (drain.clone(), release.clone());
    let draining = async move { draining.notified().await };
    let (stream, serving) = serve_with(LIMITS, draining, move |asked| {
        let held = held.clone();
        async move {
            held.notified().await;
            echo(asked).await;
        }
    });
    let mut client = connect(stream).await;
    let (answer, _) = client.send_request(get("/held"), true).unwrap();
    tokio::task::yield_now().await;
    drain.notify_one();
    while client.clone().ready().await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.notify_one();
    assert_eq!(answer.await.unwrap().headers()["x-path"], "/held");
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection() {
    let (stream, serving) = serve();
    let client = connect(stream).await;
    serving.await.unwrap();
    drop(client);
    // No preface, and no answer to the announcement of the end.
    let (mut stream, serving) = serve();
    serving.await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let (mut stream, serving) = serve();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_left() {
    let (stream, serving) = serve_with(LIMITS, std::future::pending(), |asked| async move {
        let Asked::Request(mut request) = asked else { return };
        request.send_head(&ResponseHead::default(), false);
        while send(&mut request, &[b'x'; 10_000]).await.is_ok() {}
    });
    let (mut from_server, mut to_server) = tokio::io::split(stream);
    to_server.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    // Windows as large as they can be.
    let settings =
        b"\0\0\x06\x04\0\0\0\0\0\0\x04\x7f\xff\xff\xff\0\0\x04\x08\0\0\0\0\0\x7f\xff\0\0";
    to_server.write_all(settings).await.unwrap();
    let block = b"\x82\x84\x87\x41\x01a";
    to_server.write_all(b"\0\0\x06\x01\x05\0\0\0\x01").await.unwrap();
    to_server.write_all(block).await.unwrap();
    serving.await.unwrap();
    let mut all = Vec::new();
    from_server.read_to_end(&mut all).await.unwrap();
    assert!(all.len() >= 64 * 1024);
}

#[tokio::test]
async fn small_windows_are_obeyed() {
    let (stream, _) = serve();
    let (client, connection) = ::h2::client::Builder::new()
        .initial_window_size(1000)
        .max_frame_size(16_384)
        .header_table_size(0)
        .handshake::<_, Bytes>(stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut client = client;
    for number in 0..3 {
        let request = Request::post(format!("https://app.test/{number}")).body(()).unwrap();
        client = client.ready().await.unwrap();
        let (answer, mut up) = client.send_request(request, false).unwrap();
        up.send_data(Bytes::from(vec![number; 50_000]), true).unwrap();
        let (body, _) = body_of(answer.await.unwrap().into_body()).await.unwrap();
        assert_eq!(body, vec![number; 50_000]);
    }
}
