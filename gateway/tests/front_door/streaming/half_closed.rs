//! Clients that say that they will send no more, and wait for the answer.

use hyper::Response;
use tokio::sync::mpsc;

use crate::harness::gateway::Gateway;
use crate::harness::origin::Origin;
use crate::harness::raw_client::Raw;
use crate::harness::replies::full;
use crate::harness::{config, one_site, within};

/// An origin that says when it is asked, and answers when it may.
async fn waiting() -> (Origin, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (asked, was_asked) = mpsc::channel(1);
    let (may_answer, answer) = mpsc::channel(1);
    let answer = std::sync::Arc::new(tokio::sync::Mutex::new(answer));
    let origin = Origin::http(move |_| {
        let (asked, answer) = (asked.clone(), answer.clone());
        async move {
            asked.send(()).await.unwrap();
            answer.lock().await.recv().await;
            Response::new(full("the answer"))
        }
    })
    .await;
    (origin, was_asked, may_answer)
}

#[tokio::test]
async fn a_client_that_has_said_its_last_still_gets_its_answer() {
    let (origin, mut was_asked, may_answer) = waiting().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write("GET /half HTTP/1.1\r\nHost: app.test\r\n\r\n").await;
    within("the origin to be asked", was_asked.recv()).await;
    raw.say_goodbye().await;
    may_answer.send(()).await.unwrap();
    let (head, body) = raw.reply().await.expect("cut off instead of answered");
    assert_eq!((head.status, body.as_slice()), (200, b"the answer".as_slice()), "{head:?}");
    raw.rest().await;
    let record = gateway.record_of("/half").await;
    assert_eq!(record["status"], 200, "{record}");
}

#[tokio::test]
async fn a_client_that_has_gone_is_not_waited_for() {
    let (origin, mut was_asked, _may_answer) = waiting().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut raw = Raw::tls(&gateway, "app.test").await;
    raw.write("GET /gone HTTP/1.1\r\nHost: app.test\r\n\r\n").await;
    within("the origin to be asked", was_asked.recv()).await;
    raw.say_goodbye().await;
    drop(raw);
    let record = gateway.record_of("/gone").await;
    assert_eq!(record["status"], 499, "{record}");
}
