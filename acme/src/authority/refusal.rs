//! What a CA says instead of doing what it was asked for.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

/// An answer that is no success.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The problem document, where the answer is one.
    pub(crate) problem: Option<Problem>,
    pub(crate) retry_after: Option<Duration>,
}

/// A problem document (RFC 7807, RFC 8555 section 6.7).
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    pub(crate) detail: Option<String>,
    #[serde(default)]
    subproblems: Vec<Sub>,
}

#[derive(Debug, Clone, Deserialize)]
struct Sub {
    identifier: Option<Identifier>,
    detail: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Identifier {
    value: String,
}

impl Refusal {
    pub(crate) fn of(answer: &Response<Bytes>, now: SystemTime) -> Self {
        let problem = serde_json::from_slice::<Problem>(answer.body()).ok();
        Self {
            status: answer.status(),
            problem: problem.filter(|problem| problem.kind.is_some() || problem.detail.is_some()),
            retry_after: retry_after(answer.headers(), now),
        }
    }
}

impl Problem {
    /// The last part of the type: `rateLimited` and the like.
    pub(crate) fn kind(&self) -> &str {
        let kind = self.kind.as_deref().unwrap_or_default();
        kind.strip_prefix("urn:ietf:params:acme:error:").unwrap_or(kind)
    }
}

impl From<&instant_acme::Problem> for Problem {
    fn from(problem: &instant_acme::Problem) -> Self {
        let sub = |sub: &instant_acme::Subproblem| Sub {
            identifier: sub
                .identifier
                .as_ref()
                .map(|name| Identifier { value: name.clone().authorized(false).to_string() }),
            detail: sub.detail.clone(),
        };
        Self {
            kind: problem.r#type.clone(),
            detail: problem.detail.clone(),
            subproblems: problem.subproblems.iter().map(sub).collect(),
        }
    }
}

/// What the CA says, in its own words and on one line.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(self.detail.as_deref().unwrap_or(self.kind())))?;
        for sub in &self.subproblems {
            f.write_str("; ")?;
            if let Some(identifier) = &sub.identifier {
                write!(f, "{}: ", plain(&identifier.value))?;
            }
            f.write_str(&plain(sub.detail.as_deref().unwrap_or_default()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Some(problem) => problem.fmt(f),
            None => write!(f, "status {}", self.status),
        }
    }
}

impl std::error::Error for Refusal {}

/// Without control characters, and no longer than anybody reads: it comes from outside, and goes into
/// logs and onto terminals.
fn plain(text: &str) -> String {
    const MOST: usize = 600;
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut plain: String = printable.clone().take(MOST).collect();
    if printable.count() > MOST {
        plain.push('…');
    }
    plain.trim().trim_end_matches('.').to_owned()
}

/// How long to wait, from seconds or a date (RFC 9110 section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry: Option<&str>, body: &str) -> Refusal {
        let mut answer = Response::builder().status(status);
        if let Some(retry) = retry {
            answer = answer.header(RETRY_AFTER, retry);
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        Refusal::of(&answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap(), now)
    }

    #[test]
    fn problems_and_their_parts_are_read() {
        let refusal = answer(
            429,
            Some("120"),
            r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many.\nWait."}"#,
        );
        assert_eq!(refusal.problem.as_ref().unwrap().kind(), "rateLimited");
        assert_eq!(refusal.to_string(), "too many. Wait");
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(120)));
        let compound = r#"{"detail":"some failed","subproblems":[{"identifier":{"type":"dns",
            "value":"a.test"},"detail":"no such name"}]}"#;
        assert_eq!(answer(400, None, compound).to_string(), "some failed; a.test: no such name");
    }

    #[test]
    fn what_is_no_problem_is_a_status() {
        let refusal =
            answer(502, Some("Sun, 06 Nov 1994 08:50:37 GMT"), "<html>Bad Gateway</html>");
        assert_eq!(refusal.to_string(), "status 502 Bad Gateway");
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(60)));
        assert_eq!(answer(500, Some("soon"), "{}").retry_after, None);
    }
}
