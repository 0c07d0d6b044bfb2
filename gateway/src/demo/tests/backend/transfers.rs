use super::*;
use std::convert::Infallible;

use aws_lc_rs::digest;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::demo::backend::hex;

#[tokio::test]
async fn a_download_is_as_long_as_asked_and_each_byte_in_its_place() {
    let origins = start().await.expect("started");
    for length in [0_usize, 1, 251, 65_536, 65_537, 1_000_003] {
        let answer = get(origins.backend, &format!("/api/v1/bytes/{length}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-length"), length.to_string());
        assert_eq!(answer.body.len(), length);
        let wrong = answer.body.iter().enumerate().find(|(i, b)| **b as usize != i % 251);
        assert_eq!(wrong, None, "of {length}");
    }
}

#[tokio::test]
async fn the_longest_download_begins_without_being_made() {
    let origins = start().await.expect("started");
    let answer = open(origins.backend, request("GET", "/api/v1/bytes/2147483648", "")).await;
    assert_eq!(answer.headers()["content-length"], "2147483648");
    let frame = patiently(answer.into_body().frame()).await.expect("a frame").expect("data");
    assert!(frame.data_ref().is_some_and(|data| !data.is_empty()));
}

#[tokio::test]
async fn a_length_out_of_range_is_refused() {
    let origins = start().await.expect("started");
    for length in ["2147483649", "-1", "", "1e3", "99999999999999999999"] {
        let answer = get(origins.backend, &format!("/api/v1/bytes/{length}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{length}");
        let error = answer.json()["error"].to_string();
        assert!(error.contains("from 0 to 2147483648"), "{error}");
    }
}

#[tokio::test]
async fn an_upload_is_counted_and_hashed() {
    let origins = start().await.expect("started");
    let answer = send(origins.backend, "POST", "/api/v1/upload", "abc").await.json();
    assert_eq!(answer["bytes"], 3);
    // FIPS 180-4's own example.
    let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(answer["sha256"], known);
    let empty = send(origins.backend, "PUT", "/api/v1/upload", "").await.json();
    assert_eq!(empty["bytes"], 0);
}

#[tokio::test]
async fn a_chunked_upload_of_any_length_is_taken() {
    let origins = start().await.expect("started");
    let chunk = Bytes::from(vec![b'u'; 64 * 1024]);
    let chunks = vec![chunk.clone(); 160];
    let frames = chunks.into_iter().map(|c| Ok::<_, Infallible>(Frame::data(c)));
    let upload = Request::post("/api/v1/upload")
        .header("host", "demo.test")
        .body(StreamBody::new(stream::iter(frames)))
        .expect("a request");
    let answer = open(origins.backend, upload).await;
    let body = patiently(answer.into_body().collect()).await.expect("a body");
    let answer: Value = serde_json::from_slice(&body.to_bytes()).expect("a JSON answer");
    assert_eq!(answer["bytes"], 10 << 20);
    let expected = digest::digest(&digest::SHA256, &chunk.repeat(160));
    assert_eq!(answer["sha256"], hex(expected.as_ref()));
}
