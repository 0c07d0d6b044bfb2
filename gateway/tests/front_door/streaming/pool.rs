//! Connections to origins: used again, and replaced when they have died.
//!
//! What nginx did: `keepalive 32`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::StatusCode;
use tokio::io::AsyncWriteExt;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, post};
use crate::harness::origin::{Origin, read_head};
use crate::harness::replies::full;
use crate::harness::tls_client::Tls;
use crate::harness::{config, one_site};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn requests_one_after_the_other_share_one_connection_to_the_origin() {
    // Over HTTP/2 the next request may come before the last one's connection is back in the pool.
    for (protocol, most) in [("http/1.1", 1), ("h2", 2)] {
        let origin = Origin::text("ok").await;
        let gateway = Gateway::start(&config("workers = 1", &one_site(origin.addr(), ""))).await;
        let tls = Tls::trusting(&gateway.local_ca()).alpn(&[protocol]);
        let mut http = Http::connect(&tls, gateway.https(), "app.test").await;
        for _ in 0..10 {
            assert_eq!(http.get("/").await.text(), "ok");
        }
        assert_eq!(http.request(post("/", full("body"))).await.text(), "ok");
        let opened = origin.connections();
        assert!(opened <= most, "{opened} connections for 11 requests over {protocol}");
    }
}

#[tokio::test]
async fn a_connection_that_the_origin_wants_closed_is_not_used_again() {
    let origin = Origin::raw(|mut stream, _| async move {
        if read_head(&mut stream).await.is_some() {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
            // It stays open: only the header says that it must not be used.
            if read_head(&mut stream).await.is_some() {
                let wrong = b"HTTP/1.1 500 Used Again\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(wrong).await.unwrap();
            }
        }
    })
    .await;
    let gateway = Gateway::start(&config("workers = 1", &one_site(origin.addr(), ""))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for _ in 0..3 {
        assert_eq!(http.get("/").await.status, StatusCode::OK);
    }
    assert_eq!(origin.connections(), 3);
}

#[tokio::test]
async fn a_connection_with_a_body_beyond_its_length_is_not_used_again() {
    let origin = Origin::raw(|mut stream, _| async move {
        while read_head(&mut stream).await.is_some() {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\
                           HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    })
    .await;
    let gateway = Gateway::start(&config("workers = 1", &one_site(origin.addr(), ""))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for _ in 0..4 {
        let reply = http.get("/").await;
        assert_ne!(reply.text(), "forged", "an answer that nobody asked for was given to a client");
    }
}

/// An origin whose first connection answers one request, and closes when the second has arrived on
/// it: the race of every keep-alive time-out, lost.
async fn dying() -> (Origin, Arc<AtomicUsize>) {
    let requests = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&requests);
    let origin = Origin::raw(move |mut stream, number| {
        let requests = Arc::clone(&requests);
        async move {
            let mut answered = 0;
            while read_head(&mut stream).await.is_some() {
                requests.fetch_add(1, Ordering::SeqCst);
                if number == 0 && answered == 1 {
                    return;
                }
                stream.write_all(OK).await.unwrap();
                answered += 1;
            }
        }
    })
    .await;
    (origin, count)
}

#[tokio::test]
async fn a_get_that_meets_a_dead_connection_is_sent_again() {
    for is_http2 in [false, true] {
        let (origin, requests) = dying().await;
        let gateway = Gateway::start(&config("workers = 1", &one_site(origin.addr(), ""))).await;
        let mut http = if is_http2 {
            Http::http2(&gateway, "app.test").await
        } else {
            Http::http1(&gateway, "app.test").await
        };
        assert_eq!(http.get("/first").await.status, StatusCode::OK);
        let reply = http.get("/second").await;
        assert_eq!(reply.status, StatusCode::OK, "the client was told of a dead connection");
        assert_eq!(origin.connections(), 2);
        assert_eq!(requests.load(Ordering::SeqCst), 3, "once more, and not more often");
    }
}

#[tokio::test]
async fn a_post_that_meets_a_dead_connection_is_not_sent_twice() {
    let (origin, requests) = dying().await;
    let gateway = Gateway::start(&config("workers = 1", &one_site(origin.addr(), ""))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/first").await.status, StatusCode::OK);
    let reply = http.request(post("/order", full("one pizza"))).await;
    // RFC 9110, section 9.2.2: it reached the origin, and nobody knows what was done with it.
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert_eq!(requests.load(Ordering::SeqCst), 2, "the order was placed twice");
}

#[tokio::test]
async fn a_connection_that_the_origin_closed_while_idle_is_replaced_unseen() {
    let origin = Origin::raw(|mut stream, _| async move {
        if read_head(&mut stream).await.is_some() {
            stream.write_all(OK).await.unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(&config("workers = 1", &one_site(origin.addr(), ""))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for _ in 0..5 {
        assert_eq!(http.send(get("/")).await.unwrap().status(), StatusCode::OK);
    }
}
