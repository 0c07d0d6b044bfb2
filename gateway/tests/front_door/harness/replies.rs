//! Bodies that are sent and replies that are read.

use std::convert::Infallible;
use std::error::Error;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{HeaderMap, Response, StatusCode, Version};
use serde_json::Value;
use tokio::sync::mpsc;

use super::pattern;
use super::within;

/// Why a body ended early.
pub(crate) type BodyError = Box<dyn Error + Send + Sync>;

/// Every body that a test sends.
pub(crate) type Body = UnsyncBoxBody<Bytes, BodyError>;

/// No body.
pub(crate) fn empty() -> Body {
    Empty::new().map_err(unreachable).boxed_unsync()
}

/// A body that is there at once, with its length known.
pub(crate) fn full(data: impl Into<Bytes>) -> Body {
    Full::new(data.into()).map_err(unreachable).boxed_unsync()
}

fn unreachable(never: Infallible) -> BodyError {
    match never {}
}

/// A body of unknown length that ends when the sender is dropped, and breaks off where the test
/// sends an error.
pub(crate) fn channel() -> (mpsc::Sender<Result<Bytes, BodyError>>, Body) {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, BodyError>>(1);
    let frames = stream::unfold(receiver, async |mut receiver| {
        let data = receiver.recv().await?;
        Some((data.map(Frame::data), receiver))
    });
    (sender, StreamBody::new(frames).boxed_unsync())
}

/// A body of so many bytes of the pattern, made as it is sent, of unknown length.
pub(crate) fn patterned(total: u64) -> Body {
    let frames = stream::unfold(0, move |position| async move {
        let piece = pattern::piece(position, total);
        let next = position + piece.len() as u64;
        (!piece.is_empty()).then(|| (Ok(Frame::data(piece)), next))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Reads a body to its end, comparing it with the pattern.
pub(crate) async fn check_pattern(body: &mut Incoming) -> Result<u64, hyper::Error> {
    let mut check = pattern::Check::default();
    while let Some(frame) = within("the next piece of a body", body.frame()).await {
        if let Ok(data) = frame?.into_data() {
            check.take(&data);
        }
    }
    Ok(check.total())
}

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Reads a response's body.
    pub(crate) async fn read(response: Response<Incoming>) -> Result<Self, hyper::Error> {
        let (head, body) = response.into_parts();
        let body = within("the rest of a response's body", body.collect()).await?.to_bytes();
        Ok(Self { status: head.status, version: head.version, headers: head.headers, body })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{}: not JSON ({error}): {}", self.status, self.text()),
        }
    }

    /// The one value of a header; `None` where it is not there.
    ///
    /// # Panics
    /// Where it is there twice.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut values = self.values(name);
        assert!(values.len() <= 1, "{name} is there {} times: {values:?}", values.len());
        values.pop()
    }

    /// Every value of a header.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }
}

/// Server-sent events, as they arrive.
pub(crate) struct Events {
    body: Incoming,
    pending: BytesMut,
}

impl Events {
    /// Reads a response as an event stream.
    pub(crate) fn of(response: Response<Incoming>) -> Self {
        assert_eq!(response.status(), StatusCode::OK, "the event stream was refused");
        Self { body: response.into_body(), pending: BytesMut::new() }
    }

    /// The next event's text, without the empty line that ends it; `None` at the clean end.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, hyper::Error> {
        loop {
            if let Some(end) = self.pending.windows(2).position(|pair| pair == b"\n\n") {
                let event = self.pending.split_to(end + 2);
                return Ok(Some(String::from_utf8_lossy(&event[..end]).into_owned()));
            }
            match within("the next server-sent event", self.body.frame()).await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.pending.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}
