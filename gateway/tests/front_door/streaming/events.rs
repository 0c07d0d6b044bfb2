//! Server-sent events, and other bodies that come a bit at a time.
//!
//! What nginx did: buffering off and long time-outs by hand, for Home Assistant and Grafana's live view.

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Response, StatusCode};
use tokio::sync::Mutex;
use tokio::sync::mpsc;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get};
use crate::harness::origin::Origin;
use crate::harness::replies::{BodyError, Events, channel};
use crate::harness::{config, one_site, within};

type Sender = mpsc::Sender<Result<Bytes, BodyError>>;

/// An origin that hands the sending half of every response's body to the test.
async fn live_origin() -> (Origin, Mutex<mpsc::Receiver<Sender>>) {
    let (give, take) = mpsc::channel(8);
    let origin = Origin::http(move |_| {
        let give = give.clone();
        async move {
            let (sender, body) = channel();
            give.send(sender).await.unwrap();
            let mut response = Response::new(body);
            let kind = "text/event-stream".parse().unwrap();
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
    })
    .await;
    (origin, Mutex::new(take))
}

#[tokio::test]
async fn each_event_arrives_before_the_next_is_sent() {
    let (origin, streams) = live_origin().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let response = http.send(get("/events")).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        let sender = streams.lock().await.recv().await.unwrap();
        let mut events = Events::of(response);
        for number in 0..50 {
            let event = format!("data: {number}");
            sender.send(Ok(Bytes::from(format!("{event}\n\n")))).await.unwrap();
            // The next event is sent only after this one was seen.
            assert_eq!(events.next().await.unwrap(), Some(event), "{:?}", http.version());
        }
        drop(sender);
        assert_eq!(events.next().await.unwrap(), None, "the stream's clean end");
    }
}

#[tokio::test]
async fn the_head_arrives_before_the_first_event() {
    let (origin, streams) = live_origin().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        // Nothing of the body has been sent when this returns.
        let response = http.send(get("/events")).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let sender = streams.lock().await.recv().await.unwrap();
        sender.send(Ok(Bytes::from_static(b"data: late\n\n"))).await.unwrap();
        let mut events = Events::of(response);
        assert_eq!(events.next().await.unwrap().as_deref(), Some("data: late"));
    }
}

#[tokio::test]
async fn the_end_of_the_client_is_the_end_at_the_origin() {
    let (origin, streams) = live_origin().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = http.version();
        let mut events = Events::of(http.send(get("/events")).await.unwrap());
        let sender = streams.lock().await.recv().await.unwrap();
        sender.send(Ok(Bytes::from_static(b"data: 1\n\n"))).await.unwrap();
        events.next().await.unwrap();
        drop(events);
        drop(http);
        let what = format!("the origin to see that the {version:?} client has gone");
        within(&what, sender.closed()).await;
    }
}

#[tokio::test]
async fn one_reset_stream_ends_at_the_origin_and_its_neighbour_goes_on() {
    let (origin, streams) = live_origin().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    let open = async |http: &mut Http| {
        let events = Events::of(http.send(get("/events")).await.unwrap());
        (events, streams.lock().await.recv().await.unwrap())
    };
    let (first, first_sender) = open(&mut http).await;
    let (mut second, second_sender) = open(&mut http).await;
    drop(first);
    within("the origin to see the reset stream's end", first_sender.closed()).await;
    second_sender.send(Ok(Bytes::from_static(b"data: still here\n\n"))).await.unwrap();
    assert_eq!(second.next().await.unwrap().as_deref(), Some("data: still here"));
}

#[tokio::test]
async fn a_stream_that_is_silent_longer_than_idle_is_broken_off() {
    let (origin, streams) = live_origin().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), "idle = \"1s\""))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let mut events = Events::of(http.send(get("/events")).await.unwrap());
        let sender = streams.lock().await.recv().await.unwrap();
        sender.send(Ok(Bytes::from_static(b"data: 1\n\n"))).await.unwrap();
        events.next().await.unwrap();
        let end = events.next().await;
        assert!(
            end.is_err(),
            "{:?}: a broken stream must not end cleanly: {end:?}",
            http.version()
        );
        within("the origin to see the end", sender.closed()).await;
    }
}
