//! One call of the API, and what its errors mean.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use gateway_config::model::Secret;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::dns::CloudflareError;
use crate::https::HttpsClient;

/// Codes that say that the token is wrong or may not do this, whatever the status.
const FORBIDDEN: [u64; 4] = [6003, 9103, 9109, 10000];

/// How much of what the API says is repeated, in characters.
const SAID: usize = 200;

/// The API with a token that was just read.
pub(super) struct Api<'a> {
    pub(super) https: &'a HttpsClient,
    pub(super) base: &'a str,
    /// Where the token comes from.
    pub(super) token: &'a Secret,
    /// The token.
    pub(super) secret: &'a str,
}

/// What every answer is.
#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    errors: Vec<Complaint>,
    #[serde(default)]
    result: Value,
}

#[derive(Deserialize)]
struct Complaint {
    code: u64,
    #[serde(default)]
    message: String,
}

impl Api<'_> {
    /// Asks for something.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        what: &'static str,
    ) -> Result<T, CloudflareError> {
        let (status, envelope) = self.call(method, path, body).await?;
        self.check(status, &envelope, what, &[])?;
        serde_json::from_value(envelope.result).map_err(|source| self.garbled(status, source))
    }

    /// Has something done; the errors `fine` say that it is done already.
    pub(super) async fn order(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        what: &'static str,
        fine: &[u64],
    ) -> Result<(), CloudflareError> {
        let (status, envelope) = self.call(method, path, body).await?;
        self.check(status, &envelope, what, fine)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Envelope), CloudflareError> {
        let uri: Uri = format!("{}{path}", self.base).parse().map_err(|_| self.no_address())?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.secret))
            .map_err(|_| CloudflareError::Malformed { token: self.token.clone() })?;
        bearer.set_sensitive(true);
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));

        let answer = self.https.send(request).await?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(CloudflareError::RateLimited { after: retry_after(&answer) });
        }
        let envelope = serde_json::from_slice(answer.body());
        Ok((status, envelope.map_err(|source| self.garbled(status, source))?))
    }

    fn check(
        &self,
        status: StatusCode,
        envelope: &Envelope,
        what: &'static str,
        fine: &[u64],
    ) -> Result<(), CloudflareError> {
        let has = |codes: &[u64]| envelope.errors.iter().any(|error| codes.contains(&error.code));
        if (status.is_success() && envelope.success) || has(fine) {
            return Ok(());
        }
        let said = self.said(status, &envelope.errors);
        let is_forbidden = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if is_forbidden || has(&FORBIDDEN) {
            return Err(CloudflareError::Forbidden { token: self.token.clone(), what, said });
        }
        Err(CloudflareError::Api { what, said })
    }

    /// The API's words, without what would break a line or give the token away.
    fn said(&self, status: StatusCode, errors: &[Complaint]) -> String {
        let mut said = format!("status {}", status.as_u16());
        for Complaint { code, message } in errors {
            let message = message.replace(self.secret, "<token>");
            let message: String =
                message.chars().filter(|char| !char.is_control()).take(SAID).collect();
            let message = message.trim_end_matches('.');
            // Writing to a String cannot fail.
            let _ = write!(said, "; {code}: {message}");
        }
        said
    }

    fn garbled(&self, status: StatusCode, source: serde_json::Error) -> CloudflareError {
        CloudflareError::Garbled { api: self.base.to_owned(), status: status.as_u16(), source }
    }

    fn no_address(&self) -> CloudflareError {
        CloudflareError::Address { api: self.base.to_owned() }
    }
}

fn retry_after(answer: &Response<Bytes>) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}
