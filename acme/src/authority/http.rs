//! instant-acme's requests, sent by our client, and the CA's refusals kept whole: instant-acme keeps
//! neither status nor `Retry-After`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::DATE;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use parking_lot::Mutex;

use super::refusal::Refusal;
use crate::https::HttpsClient;

/// How far this machine's clock is from a CA's, by the last answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skew(Arc<Mutex<Option<i64>>>);

/// The CA's clock is exact to the second, and an answer takes a while: less is no difference.
const UNNOTICED: u64 = 60;

impl Skew {
    /// The time as the CA has it; as this machine has it, where no CA has answered yet.
    pub(crate) fn correct(&self, now: SystemTime) -> SystemTime {
        let seconds = self.seconds();
        let by = std::time::Duration::from_secs(seconds.unsigned_abs());
        let corrected = if seconds < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        corrected.unwrap_or(now)
    }

    /// By how many seconds this machine's clock is behind; negative where it is ahead.
    pub(crate) fn seconds(&self) -> i64 {
        self.0.lock().unwrap_or_default()
    }

    fn learn(&self, answer: &Response<Bytes>) {
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else { return };
        let now = SystemTime::now();
        let (seconds, sign) = match date.duration_since(now) {
            Ok(behind) => (behind.as_secs(), 1),
            Err(error) => (error.duration().as_secs(), -1),
        };
        let seconds = if seconds <= UNNOTICED { 0 } else { seconds };
        *self.0.lock() = Some(i64::try_from(seconds).unwrap_or(0) * sign);
    }
}

/// What instant-acme is given.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) client: HttpsClient,
    pub(crate) skew: Skew,
}

impl Http {
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let answer = self.client.send(request).await.map_err(|e| Error::Other(Box::new(e)))?;
        self.skew.learn(&answer);
        let refusal = Refusal::of(&answer, SystemTime::now());
        let kind = refusal.problem.as_ref().map_or("", |problem| problem.kind());
        match answer.status() {
            status if status.is_success() => Ok(answer),
            // That one instant-acme mends by itself.
            StatusCode::BAD_REQUEST if kind == "badNonce" => Ok(answer),
            _ => Err(Error::Other(Box::new(refusal))),
        }
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let http = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(never) => match never {},
            };
            let answer = http.send(Request::from_parts(head, body)).await?;
            Ok(BytesResponse::from(answer.map(Full::new)))
        })
    }
}
