//! Both directions at once, and many requests at once.

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::Response;
use tokio::sync::Barrier;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, post};
use crate::harness::memory::MIB;
use crate::harness::origin::Origin;
use crate::harness::replies::{check_pattern, full, patterned};
use crate::harness::{config, one_site, within};

#[tokio::test]
async fn an_origin_that_echoes_while_it_reads_does_not_deadlock() {
    let origin = Origin::http(async |request: hyper::Request<hyper::body::Incoming>| {
        Response::new(request.into_body().map_err(Into::into).boxed_unsync())
    })
    .await;
    let site = one_site(origin.addr(), "body = \"1GiB\"");
    let gateway = Gateway::start(&config("", &site)).await;
    let total = 32 * MIB;
    for mut http in Http::both(&gateway, "app.test").await {
        let response = http.send(post("/echo", patterned(total))).await.unwrap();
        let came = check_pattern(&mut response.into_body()).await;
        assert_eq!(came.unwrap(), total, "over {:?}", http.version());
    }
}

#[tokio::test]
async fn http2_streams_run_beside_each_other() {
    const TOGETHER: usize = 40;
    // Nobody is answered before all of them have arrived.
    let barrier = Arc::new(Barrier::new(TOGETHER));
    let origin = Origin::http(move |request: hyper::Request<_>| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            Response::new(full(request.uri().path().to_owned()))
        }
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let http = Http::http2(&gateway, "app.test").await;
    let requests: Vec<_> = (0..TOGETHER)
        .map(|number| {
            let mut beside = http.beside();
            tokio::spawn(async move {
                let path = format!("/{number}");
                assert_eq!(beside.get(&path).await.text(), path);
            })
        })
        .collect();
    for request in requests {
        within("all the streams", request).await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_that_nobody_reads_holds_no_other_up() {
    let origin = Origin::http(async |request: hyper::Request<_>| {
        let total = if request.uri().path() == "/large" { 64 * MIB } else { 1000 };
        Response::new(patterned(total))
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let unread = http.send(get("/large")).await.unwrap();
    for _ in 0..20 {
        assert_eq!(http.get("/small").await.body.len(), 1000);
    }
    let came = check_pattern(&mut unread.into_body()).await;
    assert_eq!(came.unwrap(), 64 * MIB);
}

#[tokio::test]
async fn bodies_of_every_awkward_size_arrive() {
    let origin = Origin::http(async |request: hyper::Request<hyper::body::Incoming>| {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(full(body))
    })
    .await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for size in [0, 1, 2, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 131_071, 1_000_003] {
            let body: Vec<u8> = (0..size).map(|byte: u32| byte.to_be_bytes()[3]).collect();
            let reply = http.request(post("/", full(body.clone()))).await;
            assert!(reply.body == body, "{size} bytes over {:?}", http.version());
            let chunked = http.request(post("/", patterned(size.into()))).await;
            assert_eq!(chunked.body.len(), usize::try_from(size).unwrap(), "{:?}", http.version());
        }
    }
}
