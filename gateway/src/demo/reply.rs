//! Answers, refusals, and the reading of bounded bodies: what all the applications share.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use serde::Serialize;

/// An answer.
pub(super) type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// An answer, or why there is none but an error's.
pub(super) type Outcome = Result<Reply, Refusal>;

/// Why a request is not served. Turned into a JSON answer whose `error` is a sentence.
#[derive(Debug)]
pub(super) enum Refusal {
    /// 400: the request does not say what it should.
    Invalid(String),
    /// 404: there is nothing under this path.
    NotFound(String),
    /// 405: there is, but for these methods only.
    Method(&'static str),
    /// 409: the request is right, and what is kept does not allow it.
    Conflict(String),
    /// 413: the body is longer than this many bytes.
    TooLarge(usize),
    /// 426: a WebSocket's path, asked for without the WebSocket handshake.
    NotAWebSocket,
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let (status, sentence, header) = match refusal {
            Refusal::Invalid(why) => (StatusCode::BAD_REQUEST, why, None),
            Refusal::NotFound(path) => (
                StatusCode::NOT_FOUND,
                format!("The sample application has nothing at {path}."),
                None,
            ),
            Refusal::Method(allowed) => (
                StatusCode::METHOD_NOT_ALLOWED,
                format!("This path answers {allowed} only."),
                Some((ALLOW, allowed)),
            ),
            Refusal::Conflict(why) => (StatusCode::CONFLICT, why, None),
            Refusal::TooLarge(limit) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The body is longer than the {limit} bytes this path takes."),
                None,
            ),
            Refusal::NotAWebSocket => (
                StatusCode::UPGRADE_REQUIRED,
                "This path is a WebSocket's: connect to it with a WebSocket client.".to_owned(),
                Some((UPGRADE, "websocket")),
            ),
        };
        let mut reply = json(status, &serde_json::json!({ "error": sentence }));
        if let Some((name, value)) = header {
            if name == UPGRADE {
                set(&mut reply, CONNECTION, "upgrade");
            }
            set(&mut reply, name, value);
        }
        reply
    }
}

/// Sets one header of an answer.
pub(super) fn set(reply: &mut Reply, name: HeaderName, value: &'static str) {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// An answer with a body of any kind.
pub(super) fn with_body<B>(status: StatusCode, content_type: &'static str, body: B) -> Reply
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let mut reply = Response::new(body.boxed_unsync());
    *reply.status_mut() = status;
    set(&mut reply, CONTENT_TYPE, content_type);
    reply
}

/// An answer that is at hand as a whole.
pub(super) fn full(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Reply {
    with_body(status, content_type, Full::new(body.into()))
}

/// An answer in JSON, ending in a line feed so that a terminal shows it well. No cache keeps it.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    let mut reply = match serde_json::to_string_pretty(value) {
        Ok(text) => full(status, "application/json", text + "\n"),
        Err(e) => full(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            format!("The answer could not be written as JSON: {e}.\n"),
        ),
    };
    set(&mut reply, CACHE_CONTROL, "no-store");
    reply
}

/// An answer of 200 in JSON.
pub(super) fn ok_json(value: &impl Serialize) -> Outcome {
    Ok(json(StatusCode::OK, value))
}

/// An answer of 204, which has no body.
pub(super) fn no_content() -> Reply {
    let mut reply = Response::new(Empty::new().boxed_unsync());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply
}

/// Lets GET and HEAD pass; hyper leaves the body of an answer to HEAD out.
pub(super) fn only_get(method: &Method) -> Result<(), Refusal> {
    if matches!(*method, Method::GET | Method::HEAD) {
        Ok(())
    } else {
        Err(Refusal::Method("GET, HEAD"))
    }
}

/// The whole body, if it is no longer than `limit` bytes.
pub(super) async fn read(body: Incoming, limit: usize) -> Result<Bytes, Refusal> {
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(Refusal::TooLarge(limit)),
        Err(e) => Err(Refusal::Invalid(format!("The request's body could not be read: {e}."))),
    }
}
