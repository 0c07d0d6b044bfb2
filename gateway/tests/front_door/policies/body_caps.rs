//! `body`: the largest request body, however its length is said, or not said.
//!
//! What nginx did: `client_max_body_size 10M`.

use hyper::StatusCode;
use hyper::header::CONTENT_LENGTH;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, post};
use crate::harness::memory::MIB;
use crate::harness::origin::{Origin, echo};
use crate::harness::raw_client::Raw;
use crate::harness::replies::{full, patterned};
use crate::harness::{config, one_site};

async fn capped() -> (Origin, Gateway) {
    let origin = Origin::http(echo).await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), "body = \"64KiB\""))).await;
    (origin, gateway)
}

#[tokio::test]
async fn a_body_of_exactly_the_cap_passes() {
    let (_origin, gateway) = capped().await;
    for mut http in Http::both(&gateway, "app.test").await {
        for body in [full(vec![b'x'; 65_536]), patterned(65_536)] {
            assert_eq!(http.request(post("/", body)).await.status, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn a_length_over_the_cap_is_refused_before_any_body() {
    let (origin, gateway) = capped().await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 65537\r\n\r\n").await;
    let head = raw.head().await.expect("closed instead of 413");
    assert_eq!(head.status, 413, "{head:?}");

    let mut http = Http::http2(&gateway, "app.test").await;
    let mut request = post("/", patterned(65_537));
    request.headers_mut().insert(CONTENT_LENGTH, 65_537.into());
    let response = http.send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(origin.seen(), Vec::<String>::new(), "the origin saw a request that was refused");
}

#[tokio::test]
async fn a_body_of_unknown_length_is_refused_where_it_passes_the_cap() {
    let (origin, gateway) = capped().await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = http.version();
        let response = http.send(post("/", patterned(8 * MIB))).await;
        let status = response.as_ref().map(|response| response.status()).ok();
        assert_eq!(status, Some(StatusCode::PAYLOAD_TOO_LARGE), "{version:?}: {response:?}");
    }
    // The origin may have seen the beginning, but never a whole request, which it would echo.
    assert!(origin.seen().len() <= 2);
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.request(post("/", full("small"))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_stream_over_the_cap_leaves_its_neighbours_alone() {
    let (_origin, gateway) = capped().await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for _ in 0..3 {
        let response = http.send(post("/", patterned(MIB))).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(http.request(post("/", full("small"))).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_chunk_that_claims_to_be_huge_is_not_waited_for() {
    let (_origin, gateway) = capped().await;
    for size in ["FFFFFFF", "FFFFFFFFFFFFFFFF", "10001"] {
        let mut raw = Raw::tls(&gateway, "app.test").await;
        let head = "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
        raw.write(format!("{head}{size}\r\n{}", "x".repeat(70_000))).await;
        let head = raw.head().await;
        let status = head.as_ref().map(|head| head.status);
        assert!(matches!(status, None | Some(400 | 413)), "a chunk of {size}: {head:?}");
    }
}

#[tokio::test]
async fn there_is_a_cap_where_none_is_configured() {
    let origin = Origin::http(echo).await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    let length = 1_u64 << 40;
    raw.write(format!("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: {length}\r\n\r\n"))
        .await;
    let head = raw.head().await.expect("closed instead of 413");
    assert_eq!(head.status, 413, "{head:?}");
}
