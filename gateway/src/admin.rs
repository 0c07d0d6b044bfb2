//! The admin listener: whether the process lives, whether it is ready and what is missing, and its
//! metrics.

use http::{Method, StatusCode};

use crate::connection::Connection;
use crate::downstream::Downstream;
use crate::fault::Fault;
use crate::head::{Known, RequestHead};
use crate::plain;
use crate::reply::Answer;

const METRICS: &[u8] = b"text/plain; version=0.0.4; charset=utf-8";

/// Serves one request. Gives it back when it was answered.
pub(crate) async fn serve<D: Downstream>(
    mut request: D,
    asked: &RequestHead,
    flaw: Option<Fault>,
    connection: &Connection,
) -> Option<D> {
    let answer = if let Some(flaw) = flaw {
        request.close_after();
        Answer::text(flaw.status().unwrap_or(StatusCode::BAD_REQUEST), format!("{flaw}\n"))
    } else if matches!(asked.method, Method::GET | Method::HEAD) {
        answer(asked.path(), connection)
    } else {
        Answer::text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is understood here.\n")
    };
    let answer = answer.with(Known::CacheControl, b"no-store");
    plain::answer_unlogged(request, &asked.method, answer).await
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
        let lines = std::iter::once("ready".to_owned());
        let lines: Vec<_> = lines.chain(connection.worker.shared.lacking()).collect();
        return Answer::text(StatusCode::OK, lines.join("\n") + "\n");
    }
    Answer::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{}\n", missing.join("\n")))
}

fn metrics(connection: &Connection) -> Answer {
    match connection.worker.shared.metrics.text() {
        Ok(text) => Answer::text(StatusCode::OK, text).replacing(Known::ContentType, METRICS),
        Err(error) => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}
