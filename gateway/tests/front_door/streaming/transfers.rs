//! Large bodies: every byte arrives, and the gateway's memory does not grow with them.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_LENGTH;
use hyper::{Request, Response, StatusCode};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get, post};
use crate::harness::memory::{self, MIB};
use crate::harness::origin::{Origin, status};
use crate::harness::replies::{Body, check_pattern, full, patterned};
use crate::harness::{config, one_site, within_time};

/// The memory that any transfer may add: half of the smallest body here, so that one that was
/// collected would be seen, and twice what the allocator keeps for a while of buffers that were given
/// back.
const GROWTH: u64 = 64 * MIB;

/// How long one transfer may take in all, on a slow and busy machine.
const TRANSFER: Duration = Duration::from_secs(300);

/// `GET /N` is answered with N bytes of the pattern, with their length in front for `GET /N?sized`;
/// a POST with how many bytes of the pattern came.
async fn answer(mut request: Request<Incoming>) -> Response<Body> {
    if request.method() == "POST" {
        return match check_pattern(request.body_mut()).await {
            Ok(total) => Response::new(full(total.to_string())),
            Err(_) => status(StatusCode::BAD_REQUEST, "the body broke off"),
        };
    }
    let total: u64 = request.uri().path()[1..].parse().unwrap();
    let mut response = Response::new(patterned(total));
    if request.uri().query() == Some("sized") {
        response.headers_mut().insert(CONTENT_LENGTH, total.into());
    }
    response
}

async fn gateway(origin: &Origin) -> Gateway {
    let site = one_site(origin.addr(), "body = \"2GiB\"");
    Gateway::start(&config("", &site)).await
}

async fn download(http: &mut Http, total: u64, query: &str) {
    let response = http.send(get(&format!("/{total}{query}"))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    let what = format!("a download of {} MiB over {:?}", total / MIB, http.version());
    let came = within_time(&what, TRANSFER, check_pattern(&mut body)).await;
    assert_eq!(came.unwrap(), total, "{what}");
}

async fn upload(http: &mut Http, total: u64, sized: bool) {
    let mut request = post("/", patterned(total));
    if sized {
        request.headers_mut().insert(CONTENT_LENGTH, total.into());
    }
    let what = format!("an upload of {} MiB over {:?}", total / MIB, http.version());
    let response = within_time(&what, TRANSFER, http.send_slowly(request)).await.unwrap();
    let status = response.status();
    let came = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(status, StatusCode::OK, "{what}");
    assert_eq!(came, total.to_string(), "{what}");
}

fn check_memory(gateway: &Gateway, before: u64, what: &str) {
    let grown = memory::peak(gateway.pid()).saturating_sub(before);
    assert!(grown < GROWTH, "{what}: memory grew by {} KiB from {before}", grown / 1024);
}

async fn down(total: u64) {
    let origin = Origin::http(answer).await;
    let gateway = gateway(&origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let before = memory::resident(gateway.pid());
        download(&mut http, total, "").await;
        download(&mut http, total, "?sized").await;
        check_memory(&gateway, before, &format!("{:?} down", http.version()));
    }
}

async fn up(total: u64) {
    let origin = Origin::http(answer).await;
    let gateway = gateway(&origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let before = memory::resident(gateway.pid());
        upload(&mut http, total, false).await;
        upload(&mut http, total, true).await;
        check_memory(&gateway, before, &format!("{:?} up", http.version()));
    }
}

#[tokio::test]
async fn downloads_of_128_mib() {
    down(128 * MIB).await;
}

#[tokio::test]
async fn uploads_of_128_mib() {
    up(128 * MIB).await;
}

#[tokio::test]
async fn a_download_of_1_gib() {
    let origin = Origin::http(answer).await;
    let gateway = gateway(&origin).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let before = memory::resident(gateway.pid());
    download(&mut http, 1024 * MIB, "?sized").await;
    check_memory(&gateway, before, "1 GiB down");
}

#[tokio::test]
async fn an_upload_of_1_gib() {
    let origin = Origin::http(answer).await;
    let gateway = gateway(&origin).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let before = memory::resident(gateway.pid());
    upload(&mut http, 1024 * MIB, true).await;
    check_memory(&gateway, before, "1 GiB up");
}

#[tokio::test]
async fn a_reader_that_stops_holds_the_origin_back_and_not_the_memory() {
    let origin = Origin::http(answer).await;
    let gateway = gateway(&origin).await;
    let total = 256 * MIB;
    for mut http in Http::both(&gateway, "app.test").await {
        let before = memory::resident(gateway.pid());
        let stopped = http.send(get(&format!("/{total}"))).await.unwrap();
        // While that one is not read, another client moves a lot: there was time to collect it.
        let mut other = Http::http2(&gateway, "app.test").await;
        download(&mut other, 128 * MIB, "").await;
        check_memory(&gateway, before, &format!("{:?} with a reader that stopped", http.version()));
        let mut body = stopped.into_body();
        let came = within_time("the stopped reader's rest", TRANSFER, check_pattern(&mut body));
        assert_eq!(came.await.unwrap(), total);
    }
}
