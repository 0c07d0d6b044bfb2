//! Answers, good and bad.

use std::time::SystemTime;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// When to come again: both forms of RFC 9110, section 10.2.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RetryAfter {
    Seconds(u64),
    Date(SystemTime),
}

/// An answer. Each `with_` method adds to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

/// A problem document (RFC 7807) of ACME, with its status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    document: Value,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::empty(status).with_body("application/json", body.to_string())
    }

    /// What a proxy in front of the CA says.
    pub(crate) fn html(status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body>Oops</body></html>");
        Self::empty(status).with_body("text/html", body)
    }

    /// 429 with the problem `rateLimited`.
    pub(crate) fn rate_limited(after: RetryAfter) -> Self {
        let detail = "too many certificates (5) already issued for this exact set of identifiers";
        Self::from(Problem::new(429, "rateLimited", detail)).with_retry_after(Some(after))
    }

    /// 503 with the problem `serverInternal`.
    pub(crate) fn unavailable(after: RetryAfter) -> Self {
        let detail = "The service is down for maintenance";
        Self::from(Problem::new(503, "serverInternal", detail)).with_retry_after(Some(after))
    }

    pub(crate) fn with_body(mut self, kind: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.with_header(CONTENT_TYPE, kind)
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_location(self, url: String) -> Self {
        self.with_header(LOCATION, url)
    }

    pub(crate) fn with_retry_after(self, after: Option<RetryAfter>) -> Self {
        match after {
            Some(RetryAfter::Seconds(seconds)) => {
                self.with_header(RETRY_AFTER, seconds.to_string())
            }
            Some(RetryAfter::Date(date)) => {
                self.with_header(RETRY_AFTER, httpdate::fmt_http_date(date))
            }
            None => self,
        }
    }

    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, HeaderValue::from_str(&value).unwrap());
        }
        response
    }
}

impl Problem {
    /// One of `urn:ietf:params:acme:error:`.
    pub(crate) fn new(status: u16, kind: &str, detail: impl Into<String>) -> Self {
        let document = json!({
            "type": format!("urn:ietf:params:acme:error:{kind}"),
            "detail": detail.into(),
            "status": status,
        });
        Self { status: StatusCode::from_u16(status).unwrap(), document }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(403, "unauthorized", detail)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "malformed", "there is no such resource")
    }

    /// Adds a subproblem (RFC 8555, section 6.7.1) of a DNS name.
    pub(crate) fn with_subproblem(mut self, name: &str, kind: &str, detail: &str) -> Self {
        let subproblem = json!({
            "type": format!("urn:ietf:params:acme:error:{kind}"),
            "detail": detail,
            "identifier": { "type": "dns", "value": name },
        });
        match self.document["subproblems"].as_array_mut() {
            Some(list) => list.push(subproblem),
            None => self.document["subproblems"] = json!([subproblem]),
        }
        self
    }

    /// The document.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let body = problem.document.to_string();
        Self::empty(problem.status.as_u16()).with_body("application/problem+json", body)
    }
}
