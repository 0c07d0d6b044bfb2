//! Answers that come before the request is complete.

use hyper::{Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, post};
use crate::harness::memory::MIB;
use crate::harness::origin::{Origin, echo, read_head, status};
use crate::harness::raw_client::Raw;
use crate::harness::replies::{full, patterned};
use crate::harness::{config, one_site, within};

const EXPECTING: &str = "POST /upload HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\
                         Expect: 100-continue\r\n\r\n";

#[tokio::test]
async fn a_client_that_waits_for_100_is_told_to_go_on() {
    let origin = Origin::http(echo).await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    for _ in 0..2 {
        raw.write(EXPECTING).await;
        let go_on = raw.head().await.expect("closed instead of 100");
        assert_eq!(go_on.status, 100, "{go_on:?}");
        raw.write("hello").await;
        let (head, body) = raw.reply().await.expect("closed instead of an answer");
        assert_eq!(head.status, 200, "{head:?}");
        let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(seen["body"], "hello", "the connection goes on after the first of the two");
    }
}

#[tokio::test]
async fn a_client_that_does_not_wait_after_all_is_served_too() {
    let origin = Origin::http(echo).await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write(format!("{EXPECTING}hello")).await;
    let mut head = raw.head().await.unwrap();
    if head.status == 100 {
        head = raw.head().await.unwrap();
    }
    assert_eq!(head.status, 200, "{head:?}");
    let length = head.field("content-length").unwrap().parse().unwrap();
    let body = raw.exactly(length).await;
    let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen["body"], "hello");
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_instead_of_asked_for() {
    let origin = Origin::http(echo).await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), "body = \"4B\""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write(EXPECTING).await;
    let head = raw.head().await.expect("closed instead of 413");
    assert_eq!(head.status, 413, "{head:?}");
    assert_eq!(origin.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn an_origin_that_refuses_before_the_body_is_heard() {
    let origin = Origin::raw(|mut stream, _| async move {
        if read_head(&mut stream).await.is_some() {
            let refusal =
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
            stream.write_all(refusal).await.unwrap();
            // Held open, and nothing more is read: only what was sent can end the request.
            std::future::pending::<()>().await;
        }
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write(EXPECTING).await;
    let mut head = raw.head().await.expect("closed instead of 403");
    if head.status == 100 {
        head = raw.head().await.expect("closed instead of 403");
    }
    assert_eq!(head.status, 403, "{head:?}");
    assert_eq!(raw.exactly(2).await, b"no");
}

#[tokio::test]
async fn an_answer_before_the_upload_s_end_reaches_the_client() {
    let origin = Origin::raw(|mut stream, _| async move {
        if read_head(&mut stream).await.is_some() {
            let answer =
                b"HTTP/1.1 422 Early\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly";
            stream.write_all(answer).await.unwrap();
            std::future::pending::<()>().await;
        }
    })
    .await;
    let site = one_site(origin.addr(), "body = \"1GiB\"");
    let gateway = Gateway::start(&config("", &site)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let response = http.send(post("/", patterned(512 * MIB))).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{:?}", http.version());
    }
    // The gateway lives, and a new connection is served.
    let mut http = Http::http2(&gateway, "app.test").await;
    let response = http.send(post("/", full("x"))).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_answer_before_the_upload_s_end_while_the_origin_goes_on_reading() {
    let origin = Origin::raw(|mut stream, _| async move {
        if read_head(&mut stream).await.is_some() {
            stream.write_all(b"HTTP/1.1 202 Fine\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            let mut sink = vec![0; 65_536];
            while stream.read(&mut sink).await.is_ok_and(|length| length > 0) {}
        }
    })
    .await;
    let site = one_site(origin.addr(), "body = \"1GiB\"");
    let gateway = Gateway::start(&config("", &site)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let reply = http.request(post("/", patterned(8 * MIB))).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{:?}", http.version());
    }
}

#[tokio::test]
async fn early_hints_are_passed_on_or_left_out_and_never_taken_for_the_answer() {
    let origin = Origin::raw(|mut stream, _| async move {
        while read_head(&mut stream).await.is_some() {
            let answer = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n\
                           HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";
            stream.write_all(answer).await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for _ in 0..2 {
            let reply = http.get("/").await;
            assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "done"));
        }
    }
}

#[tokio::test]
async fn answers_without_a_body_do_not_wait_for_one() {
    let origin = Origin::http(async |request: hyper::Request<_>| {
        if request.uri().path() == "/304" {
            return status(StatusCode::NOT_MODIFIED, "");
        }
        let mut response = Response::new(full(""));
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for _ in 0..2 {
            let reply = within("a 204", http.get("/204")).await;
            assert_eq!((reply.status, reply.body.len()), (StatusCode::NO_CONTENT, 0));
            let reply = within("a 304", http.get("/304")).await;
            assert_eq!((reply.status, reply.body.len()), (StatusCode::NOT_MODIFIED, 0));
        }
    }
}
