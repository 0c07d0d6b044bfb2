//! Fields behind a body (RFC 9110, section 6.5), both ways.

use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{HeaderMap, Request, Response};
use tokio::io::AsyncWriteExt;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, post};
use crate::harness::origin::{Origin, read_head};
use crate::harness::raw_client::Raw;
use crate::harness::replies::full;
use crate::harness::{config, one_site};

async fn with_trailers() -> Origin {
    Origin::raw(|mut stream, _| async move {
        while read_head(&mut stream).await.is_some() {
            let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
                           5\r\nhello\r\n0\r\nX-Sum: 42\r\nContent-Length: 7\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn an_answer_s_trailers_reach_a_client_of_http2() {
    let origin = with_trailers().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let response = http.send(get("/")).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned().expect("no trailers");
    assert_eq!(trailers["x-sum"], "42");
    assert!(!trailers.contains_key("content-length"), "framing is no trailer: {trailers:?}");
    assert_eq!(body.to_bytes(), "hello");
}

#[tokio::test]
async fn an_answer_s_trailers_reach_a_client_of_http1_that_wants_them() {
    let origin = with_trailers().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    for (te, end) in [("", "0\r\n\r\n"), ("TE: trailers\r\n", "0\r\nx-sum: 42\r\n\r\n")] {
        raw.write(format!("GET / HTTP/1.1\r\nHost: app.test\r\n{te}\r\n")).await;
        let head = raw.head().await.expect("closed instead of an answer");
        assert_eq!(head.field("transfer-encoding"), Some("chunked"), "{head:?}");
        let expected = format!("5\r\nhello\r\n{end}");
        let body = raw.exactly(expected.len()).await;
        assert_eq!(String::from_utf8_lossy(&body), expected);
    }
}

#[tokio::test]
async fn a_request_s_trailers_reach_the_origin_and_claim_nothing() {
    let origin = Origin::http(async |request: Request<Incoming>| {
        let body = request.into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        Response::new(full(format!("{trailers:?}")))
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "42".parse().unwrap());
        trailers.insert("x-real-ip", "6.6.6.6".parse().unwrap());
        let pieces = [Frame::data("hello".into()), Frame::trailers(trailers)];
        let pieces = futures_util::stream::iter(pieces.map(Ok));
        let mut request = post("/", StreamBody::new(pieces).boxed_unsync());
        request.headers_mut().insert("trailer", "x-sum, x-real-ip".parse().unwrap());
        let seen = http.request(request).await.text();
        assert_eq!(seen, r#"{"x-sum": "42"}"#, "over {:?}", http.version());
    }
}
