//! The sample backend: a shopping list over REST, events and a WebSocket, and end points that show
//! what arrives through the gateway and how it carries long bodies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aws_lc_rs::digest;
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;

use super::events;
use super::list_socket;
use super::pattern::Pattern;
use super::reply::{
    Outcome, Refusal, full, json as json_reply, no_content, ok_json, only_get, read, set, with_body,
};
use super::server::{App, Tasks};
use super::shopping_list::{ItemName, ShoppingList};
use super::websocket::{self, Closed, Socket};

/// The longest request body with an item, in bytes: a name of 200 characters, each escaped.
const MAX_ITEM_BODY: usize = 8 * 1024;

/// The longest request body that is echoed, in bytes.
const MAX_ECHO_BODY: usize = 64 * 1024;

/// The most bytes that `/api/v1/bytes/{n}` sends: 2 GiB.
const MAX_BYTES: u64 = 2 << 30;

/// The application.
#[derive(Debug)]
pub(super) struct Backend {
    list: Arc<ShoppingList>,
    started: Instant,
    requests: AtomicU64,
    uploaded: AtomicU64,
}

impl Backend {
    /// A backend with a list of sample items.
    pub(super) fn new() -> Self {
        Self {
            list: Arc::new(ShoppingList::with_samples()),
            started: Instant::now(),
            requests: AtomicU64::new(0),
            uploaded: AtomicU64::new(0),
        }
    }
}

impl App for Backend {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, tasks: &Tasks) -> Outcome {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/health" => health(&request),
            "/metrics" => self.metrics(&request),
            "/api/v1/system/info" => self.info(&request),
            "/api/v1/items" => self.items(request).await,
            "/api/v1/events" => self.events(&request),
            "/api/v1/upload" => self.upload(request).await,
            "/api/v1/ws/list" => self.follow_list(request, tasks),
            "/api/v1/ws/echo" => websocket::accept(request, tasks, echo_messages),
            "/api/v1/echo" => echo(request).await,
            other => {
                if let Some(id) = other.strip_prefix("/api/v1/items/") {
                    self.item(request.method(), id)
                } else if let Some(length) = other.strip_prefix("/api/v1/bytes/") {
                    bytes(request.method(), length)
                } else if other.starts_with("/api/v1/echo/") {
                    echo(request).await
                } else {
                    Err(Refusal::NotFound(path))
                }
            }
        }
    }
}

// The list.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewItem {
    name: String,
}

impl Backend {
    async fn items(&self, request: Request<Incoming>) -> Outcome {
        match *request.method() {
            Method::GET | Method::HEAD => ok_json(&self.list.items()),
            Method::POST => self.add(read(request.into_body(), MAX_ITEM_BODY).await?.as_ref()),
            Method::DELETE => {
                self.list.clear();
                Ok(no_content())
            }
            _ => Err(Refusal::Method("GET, HEAD, POST, DELETE")),
        }
    }

    fn add(&self, body: &[u8]) -> Outcome {
        let new: NewItem = serde_json::from_slice(body).map_err(|e| {
            Refusal::Invalid(format!(
                "The body is not an item, which looks like {{\"name\": \"Milk\"}}: {e}."
            ))
        })?;
        let name = ItemName::parse(&new.name).map_err(Refusal::Invalid)?;
        let item = self.list.add(name).map_err(|e| Refusal::Conflict(e.to_string()))?;
        let mut reply = json_reply(StatusCode::CREATED, &item);
        if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/items/{}", item.id)) {
            reply.headers_mut().insert(LOCATION, location);
        }
        Ok(reply)
    }

    fn item(&self, method: &Method, id: &str) -> Outcome {
        let missing = || Refusal::NotFound(format!("/api/v1/items/{id}"));
        let number = id.parse().map_err(|_| missing())?;
        match *method {
            Method::GET | Method::HEAD => ok_json(&self.list.item(number).ok_or_else(missing)?),
            Method::DELETE if self.list.remove(number) => Ok(no_content()),
            Method::DELETE => Err(missing()),
            _ => Err(Refusal::Method("GET, HEAD, DELETE")),
        }
    }

    fn events(&self, request: &Request<Incoming>) -> Outcome {
        only_get(request.method())?;
        // A browser that lost the stream says where it was, so that the numbers go on.
        let last_id = request
            .headers()
            .get("last-event-id")
            .and_then(|id| id.to_str().ok()?.parse().ok())
            .unwrap_or(0);
        Ok(events::stream(&self.list, last_id))
    }

    fn follow_list(&self, request: Request<Incoming>, tasks: &Tasks) -> Outcome {
        let list = Arc::clone(&self.list);
        websocket::accept(request, tasks, |socket| list_socket::share(socket, list))
    }
}

// What the gateway passes on.

/// Answers with the request as it arrived.
async fn echo(request: Request<Incoming>) -> Outcome {
    let (head, body) = request.into_parts();
    let body = read(body, MAX_ECHO_BODY).await?;
    ok_json(&json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query(),
        "version": format!("{:?}", head.version),
        "headers": listed(&head.headers),
        "body": { "bytes": body.len(), "text": std::str::from_utf8(&body).ok() },
    }))
}

/// Every value of every header, in order, so that one sent twice is seen twice.
fn listed(headers: &HeaderMap) -> BTreeMap<&str, Vec<String>> {
    let mut listed = BTreeMap::<&str, Vec<String>>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        listed.entry(name.as_str()).or_default().push(value);
    }
    listed
}

/// Returns every message to its sender.
async fn echo_messages(mut socket: Socket) -> Result<(), Closed> {
    loop {
        let message = socket.receive().await?;
        socket.send(message).await?;
    }
}

/// Sends as many bytes as the path asks for.
fn bytes(method: &Method, length: &str) -> Outcome {
    only_get(method)?;
    let length = length.parse().ok().filter(|n| *n <= MAX_BYTES);
    let length = length.ok_or_else(|| {
        Refusal::Invalid(format!(
            "How many bytes to send is a number from 0 to {MAX_BYTES}, as in /api/v1/bytes/1048576."
        ))
    })?;
    let body = Pattern::new(length);
    let mut reply = with_body(StatusCode::OK, "application/octet-stream", body);
    set(&mut reply, CACHE_CONTROL, "no-store");
    Ok(reply)
}

impl Backend {
    /// Counts and hashes a body of any length, and keeps none of it.
    async fn upload(&self, request: Request<Incoming>) -> Outcome {
        if !matches!(*request.method(), Method::POST | Method::PUT) {
            return Err(Refusal::Method("POST, PUT"));
        }
        let mut body = request.into_body();
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut length = 0_u64;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| {
                Refusal::Invalid(format!("The upload broke off after {length} bytes: {e}."))
            })?;
            if let Some(data) = frame.data_ref() {
                hash.update(data);
                length += data.len() as u64;
                self.uploaded.fetch_add(data.len() as u64, Ordering::Relaxed);
            }
        }
        ok_json(&json!({ "bytes": length, "sha256": hex(hash.finish().as_ref()) }))
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// What the backend says about itself.

fn health(request: &Request<Incoming>) -> Outcome {
    only_get(request.method())?;
    ok_json(&json!({ "status": "ok" }))
}

impl Backend {
    fn info(&self, request: &Request<Incoming>) -> Outcome {
        only_get(request.method())?;
        ok_json(&json!({
            "application": "the gateway's sample backend",
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": self.started.elapsed().as_secs(),
            "items": self.list.len(),
            "followers": self.list.followers(),
            "requests": self.requests.load(Ordering::Relaxed),
        }))
    }

    fn metrics(&self, request: &Request<Incoming>) -> Outcome {
        only_get(request.method())?;
        let text = format!(
            "# HELP demo_requests_total Requests that reached the sample backend.\n\
             # TYPE demo_requests_total counter\n\
             demo_requests_total {}\n\
             # HELP demo_uploaded_bytes_total Bytes uploaded and thrown away.\n\
             # TYPE demo_uploaded_bytes_total counter\n\
             demo_uploaded_bytes_total {}\n\
             # HELP demo_items Items on the shopping list.\n\
             # TYPE demo_items gauge\n\
             demo_items {}\n\
             # HELP demo_followers Event streams and WebSockets that follow the list.\n\
             # TYPE demo_followers gauge\n\
             demo_followers {}\n",
            self.requests.load(Ordering::Relaxed),
            self.uploaded.load(Ordering::Relaxed),
            self.list.len(),
            self.list.followers(),
        );
        let content_type = "text/plain; version=0.0.4; charset=utf-8";
        Ok(full(StatusCode::OK, content_type, text))
    }
}
