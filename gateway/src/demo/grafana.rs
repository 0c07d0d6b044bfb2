//! A stand-in for Grafana: a dashboard that brings its own security headers and draws what a
//! WebSocket tells it.

use std::sync::Arc;
use std::time::Duration;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::Message;

use super::clock::unix_millis;
use super::reply::{Outcome, Refusal, full, ok_json, only_get, set};
use super::server::{App, Tasks};
use super::websocket::{self, Closed, Socket};

/// How often a measurement is sent.
const EVERY: Duration = Duration::from_secs(1);

/// The dashboard's own policy, as the real one has its own.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src data:; connect-src 'self' wss:";

/// The application.
#[derive(Debug)]
pub(super) struct Grafana;

impl App for Grafana {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, tasks: &Tasks) -> Outcome {
        match request.uri().path() {
            "/" => dashboard(&request),
            "/api/health" => health(&request),
            "/api/live/ws" => websocket::accept(request, tasks, measure),
            other => Err(Refusal::NotFound(other.to_owned())),
        }
    }
}

fn dashboard(request: &Request<Incoming>) -> Outcome {
    only_get(request.method())?;
    let html = include_str!("grafana.html");
    let mut reply = full(StatusCode::OK, "text/html; charset=utf-8", html);
    set(&mut reply, CACHE_CONTROL, "no-store");
    set(&mut reply, CONTENT_SECURITY_POLICY, POLICY);
    set(&mut reply, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut reply, X_FRAME_OPTIONS, "deny");
    Ok(reply)
}

fn health(request: &Request<Incoming>) -> Outcome {
    only_get(request.method())?;
    ok_json(&json!({
        "status": "ok",
        "application": "a stand-in for Grafana",
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

/// Sends a real measurement at once and each second: how late the runtime's timer fired, in
/// microseconds, which grows as the machine or the process gets busy.
async fn measure(mut socket: Socket) -> Result<(), Closed> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            due = ticks.tick() => {
                let late = due.elapsed().as_micros();
                let point = json!({ "time_unix_ms": unix_millis(), "timer_late_us": late as u64 });
                socket.send(Message::text(point.to_string())).await?;
            }
            // What the dashboard says is not of interest; that it closes is.
            message = socket.receive() => { message?; }
        }
    }
}
