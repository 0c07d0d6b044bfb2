//! The admin listener: whether the process lives, whether it is ready and what is missing, and its
//! metrics.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use pingora_core::protocols::http::{ReusableHttpStream, ServerSession};

use crate::connection::Connection;
use crate::plain;
use crate::reply::Answer;

const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Serves one request.
pub(crate) async fn serve(
    session: ServerSession,
    connection: &Connection,
) -> Option<ReusableHttpStream> {
    let asked = session.req_header();
    let method = asked.method.clone();
    let answer = if matches!(method, Method::GET | Method::HEAD) {
        answer(asked.uri.path(), connection)
    } else {
        Answer::text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is understood here.\n")
    };
    let answer = answer.with([(CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    plain::answer_unlogged(session, &method, answer).await
}

fn answer(path: &str, connection: &Connection) -> Answer {
    match path {
        "/livez" => Answer::text(StatusCode::OK, "ok\n"),
        "/readyz" => ready(connection),
        "/metrics" => metrics(connection),
        "/" => Answer::text(StatusCode::OK, "/livez\n/readyz\n/metrics\n"),
        _ => Answer::text(StatusCode::NOT_FOUND, "Here are /livez, /readyz and /metrics.\n"),
    }
}

fn ready(connection: &Connection) -> Answer {
    let missing = connection.worker.shared.missing();
    if missing.is_empty() {
        return Answer::text(StatusCode::OK, "ready\n");
    }
    Answer::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{}\n", missing.join("\n")))
}

fn metrics(connection: &Connection) -> Answer {
    match connection.worker.shared.metrics.text() {
        Ok(text) => Answer::text(StatusCode::OK, text).replacing(CONTENT_TYPE, METRICS),
        Err(error) => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}
