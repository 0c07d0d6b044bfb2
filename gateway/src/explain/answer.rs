//! How a request ends.

use gateway_config::model::ResponseHeaders;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::fault::Fault;
use crate::headers::trace::Trace;
use crate::reply::Answer;
use crate::tls::HandshakeError;

/// Who answers, and what.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) answered_by: Answerer,
    /// The status, where the gateway answers.
    pub(crate) status: Option<u16>,
    /// Why not as the route meant it: the label of the metric that counts it.
    pub(crate) reason: Option<&'static str>,
    /// A sentence without its full stop.
    pub(crate) because: String,
    /// The answer's headers and body, where the gateway answers.
    pub(crate) headers: Vec<HeaderFact>,
    pub(crate) body: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answerer {
    Upstream,
    Gateway,
    Nobody,
}

/// One header.
#[derive(Debug, Serialize)]
pub(crate) struct HeaderFact {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl HeaderFact {
    pub(super) fn new(name: &HeaderName, value: &HeaderValue) -> Self {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self { name: name.to_string(), value }
    }
}

impl Outcome {
    fn nobody(reason: &'static str, because: String) -> Self {
        let (headers, body) = (Vec::new(), None);
        let reason = Some(reason);
        Self { answered_by: Answerer::Nobody, status: None, reason, because, headers, body }
    }

    /// What a client gets that asks for the certificate of a host without a site.
    pub(super) fn no_handshake() -> Self {
        let error = HandshakeError::UnknownName;
        let because =
            "no site answers to this host, so the TLS handshake ends with `unrecognized_name`";
        Self::nobody(error.reason(), because.into())
    }

    /// Whether no site answers to the host.
    pub(crate) fn is_unknown_host(&self) -> bool {
        let unknown = [HandshakeError::UnknownName.reason(), Fault::UnknownHost(None).reason()];
        self.reason.is_some_and(|reason| unknown.contains(&reason))
    }

    /// The gateway answers as it was told to.
    pub(super) fn answered(
        answer: Answer,
        rules: Option<&ResponseHeaders>,
        veil: &Veil<'_>,
        because: &str,
    ) -> Self {
        let status = answer.status();
        // What was read from a configuration fits into a head.
        let Ok((head, body)) = answer.dressed(rules, veil.trace) else {
            return Self::nobody("unbuildable", "the answer cannot be built".into());
        };
        Self {
            answered_by: Answerer::Gateway,
            status: Some(status.as_u16()),
            reason: None,
            because: because.to_owned(),
            headers: head.headers.iter().map(|(name, value)| veil.header(name, value)).collect(),
            body: Some(veil.text(&String::from_utf8_lossy(&body))),
        }
    }

    /// The gateway refuses.
    pub(super) fn refused(fault: &Fault, rules: Option<&ResponseHeaders>, veil: &Veil<'_>) -> Self {
        match fault.status() {
            None => Self::nobody(fault.reason(), format!("{fault}, so the connection is closed")),
            Some(status) => {
                let answer = Answer::to_fault(fault, status, veil.trace);
                let answered = Self::answered(answer, rules, veil, &fault.to_string());
                Self { reason: Some(fault.reason()), ..answered }
            }
        }
    }

    /// The upstream answers.
    pub(super) fn passed(because: String) -> Self {
        Self {
            answered_by: Answerer::Upstream,
            status: None,
            reason: None,
            because,
            headers: Vec::new(),
            body: None,
        }
    }
}

/// Hides the ids that are made anew for each request, which would make every explanation another.
pub(super) struct Veil<'t> {
    trace: &'t Trace,
    hides_id: bool,
    hides_trace: bool,
}

impl<'t> Veil<'t> {
    pub(super) fn new(trace: &'t Trace, brought: &HeaderMap, via_trusted: bool) -> Self {
        let text = |name| brought.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        Self {
            trace,
            hides_id: !(via_trusted && text("x-request-id") == trace.request_id),
            hides_trace: !text("traceparent").contains(&trace.trace_id),
        }
    }

    pub(super) fn header(&self, name: &HeaderName, value: &HeaderValue) -> HeaderFact {
        let mut fact = HeaderFact::new(name, value);
        fact.value = if name == "traceparent" {
            self.traceparent(&fact.value)
        } else {
            self.text(&fact.value)
        };
        fact
    }

    fn traceparent(&self, value: &str) -> String {
        let mut fields: Vec<&str> = value.split('-').collect();
        if let [_, trace, span, _] = fields.as_mut_slice() {
            *span = "<new span>";
            if self.hides_trace {
                *trace = "<new trace>";
            }
        }
        fields.join("-")
    }

    fn text(&self, text: &str) -> String {
        if self.hides_id {
            text.replace(&self.trace.request_id, "<new id>")
        } else {
            text.to_owned()
        }
    }
}
