//! A side that breaks off is seen to have broken off on the other.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_LENGTH;
use hyper::{Request, Response};
use tokio::sync::{Mutex, mpsc};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, post};
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::replies::{channel, full};
use crate::harness::{config, one_site, within};

/// How a request's body ended at the origin, and what was there of it.
#[derive(Debug)]
enum End {
    Clean(Vec<u8>),
    Broken,
}

/// An origin that reports every request's first bytes, and then its end.
async fn reporting() -> (Origin, mpsc::Receiver<()>, mpsc::Receiver<End>) {
    let (started, starts) = mpsc::channel(4);
    let (ended, ends) = mpsc::channel(4);
    let reports = Arc::new(Mutex::new((started, ended)));
    let origin = Origin::http(move |mut request: Request<Incoming>| {
        let reports = Arc::clone(&reports);
        async move {
            // The task may be cancelled where the connection breaks, so the report is a guard's.
            let (started, ended) = reports.lock().await.clone();
            let mut guard = Guard { ended, clean: None };
            let mut data = Vec::new();
            while let Some(frame) = request.body_mut().frame().await {
                let Ok(frame) = frame else { return Response::new(full("broken")) };
                let Ok(piece) = frame.into_data() else { continue };
                if data.is_empty() {
                    started.try_send(()).unwrap();
                }
                data.extend_from_slice(&piece);
            }
            guard.clean = Some(data);
            Response::new(full("complete"))
        }
    })
    .await;
    (origin, starts, ends)
}

struct Guard {
    ended: mpsc::Sender<End>,
    clean: Option<Vec<u8>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let end = self.clean.take().map_or(End::Broken, End::Clean);
        let _ = self.ended.try_send(end);
    }
}

#[tokio::test]
async fn an_upload_of_unknown_length_that_breaks_off_is_not_complete() {
    let (origin, mut starts, mut ends) = reporting().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = http.version();
        let (sender, body) = channel();
        sender.send(Ok(Bytes::from_static(b"the first half"))).await.unwrap();
        let request = tokio::spawn(async move { http.send(post("/", body)).await.is_ok() });
        within("the first half to reach the origin", starts.recv()).await;
        // Dropping the request drops the connection under it.
        request.abort();
        let end = within("the origin to see the upload's end", ends.recv()).await.unwrap();
        assert!(matches!(end, End::Broken), "{version:?}: the origin took half for whole: {end:?}");
        drop(sender);
    }
}

#[tokio::test]
async fn an_upload_of_known_length_that_breaks_off_is_not_complete() {
    let (origin, mut starts, mut ends) = reporting().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = http.version();
        let (sender, body) = channel();
        sender.send(Ok(Bytes::from_static(b"the first half"))).await.unwrap();
        let mut request = post("/", body);
        request.headers_mut().insert(CONTENT_LENGTH, 100.into());
        let request = tokio::spawn(async move { http.send(request).await.is_ok() });
        within("the first half to reach the origin", starts.recv()).await;
        request.abort();
        let end = within("the origin to see the upload's end", ends.recv()).await.unwrap();
        assert!(matches!(end, End::Broken), "{version:?}: the origin took half for whole: {end:?}");
        drop(sender);
    }
}

#[tokio::test]
async fn chunks_without_the_last_one_are_not_complete() {
    let (origin, mut starts, mut ends) = reporting().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    let head = "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    raw.write(format!("{head}5\r\nhello\r\n")).await;
    within("the first chunk to reach the origin", starts.recv()).await;
    drop(raw);
    let end = within("the origin to see the upload's end", ends.recv()).await.unwrap();
    assert!(matches!(end, End::Broken), "the origin took the first chunk for all: {end:?}");
}

#[tokio::test]
async fn a_reset_upload_stream_leaves_its_connection_alone() {
    let (origin, mut starts, mut ends) = reporting().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let (sender, body) = channel();
    sender.send(Ok(Bytes::from_static(b"half"))).await.unwrap();
    let mut beside = http.beside();
    let request = tokio::spawn(async move { beside.send(post("/", body)).await.is_ok() });
    within("the first half to reach the origin", starts.recv()).await;
    // An error of the body makes the client reset the stream.
    sender.send(Err("the test breaks off".into())).await.unwrap();
    let end = within("the origin to see the upload's end", ends.recv()).await.unwrap();
    assert!(matches!(end, End::Broken), "the origin took half for whole: {end:?}");
    within("the broken request's end", request).await.unwrap();

    let reply = http.request(post("/", full("whole"))).await;
    assert_eq!(reply.text(), "complete");
    let end = within("the second upload's end", ends.recv()).await.unwrap();
    assert!(matches!(&end, End::Clean(data) if data == b"whole"), "{end:?}");
}
