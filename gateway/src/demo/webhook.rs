//! The sample webhook receiver: takes every delivery and tells of the last ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::json;

use super::clock::unix_millis;
use super::reply::{Outcome, Refusal, json as json_reply, ok_json, read};
use super::server::{App, Tasks};

/// The longest delivery, in bytes.
const MAX_DELIVERY: usize = 1024 * 1024;

/// How many deliveries are kept.
const KEPT: usize = 20;

/// The most characters kept of a path or a header.
const MAX_KEPT_TEXT: usize = 200;

/// The headers that name a delivery's event, by sender: GitHub, GitLab, Gitea and Forgejo,
/// Bitbucket.
const EVENT_HEADERS: [&str; 4] =
    ["x-github-event", "x-gitlab-event", "x-gitea-event", "x-event-key"];

/// The application.
#[derive(Debug, Default)]
pub(super) struct WebhookReceiver {
    log: Mutex<Log>,
}

#[derive(Debug, Default, Serialize)]
struct Log {
    /// All deliveries since the start, kept or not.
    total: u64,
    /// The last [`KEPT`], newest first.
    deliveries: VecDeque<Delivery>,
}

#[derive(Debug, Serialize)]
struct Delivery {
    received_unix_ms: u64,
    path: String,
    /// What the sender calls the event, where it says so.
    event: Option<String>,
    bytes: usize,
}

impl App for WebhookReceiver {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: &Tasks) -> Outcome {
        let path = request.uri().path();
        match *request.method() {
            Method::POST => self.receive(request).await,
            Method::GET | Method::HEAD if path == "/deliveries" => ok_json(&*self.log()),
            Method::GET | Method::HEAD => Err(Refusal::NotFound(path.to_owned())),
            _ => Err(Refusal::Method("GET, HEAD, POST")),
        }
    }
}

impl WebhookReceiver {
    async fn receive(&self, request: Request<Incoming>) -> Outcome {
        let (head, body) = request.into_parts();
        let bytes = read(body, MAX_DELIVERY).await?.len();
        let delivery = Delivery {
            received_unix_ms: unix_millis(),
            path: shortened(head.uri.path()),
            event: event(&head.headers),
            bytes,
        };
        let answer = json!({ "accepted": &delivery });
        self.log().add(delivery);
        Ok(json_reply(StatusCode::ACCEPTED, &answer))
    }

    /// No panic can leave the log half written, so a poisoned lock is as good as any.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn add(&mut self, delivery: Delivery) {
        self.total += 1;
        self.deliveries.push_front(delivery);
        self.deliveries.truncate(KEPT);
    }
}

fn event(headers: &HeaderMap) -> Option<String> {
    let value = EVENT_HEADERS.iter().find_map(|name| headers.get(*name))?;
    Some(shortened(&String::from_utf8_lossy(value.as_bytes())))
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_KEPT_TEXT).collect()
}
