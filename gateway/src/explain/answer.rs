//! How a request ends.

use serde::Serialize;

use crate::fault::Fault;
use crate::head::{Field, Fields, Known, RequestHead};
use crate::headers::response::Dress;
use crate::headers::trace::Trace;
use crate::reply::{Answer, ErrorStyle};
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
    pub(super) fn new(name: &[u8], value: &[u8]) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { name: text(name), value: text(value) }
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
        dress: Option<Dress<'_>>,
        veil: &Veil<'_>,
        because: &str,
    ) -> Self {
        let status = answer.status();
        // As it reads, not as it may be compressed.
        let body = answer.body().clone();
        let (head, _) = answer.dressed(dress, veil.trace);
        Self {
            answered_by: Answerer::Gateway,
            status: Some(status.as_u16()),
            reason: None,
            because: because.to_owned(),
            headers: head.fields.iter().map(|field| veil.header(field)).collect(),
            body: Some(veil.text(&String::from_utf8_lossy(&body.concat()))),
        }
    }

    /// The gateway refuses.
    pub(super) fn refused(
        fault: &Fault,
        asked: &RequestHead,
        dress: Option<(Dress<'_>, &ErrorStyle)>,
        veil: &Veil<'_>,
    ) -> Self {
        let style = dress.map_or(&crate::reply::PLAIN, |(_, style)| style);
        match fault.status() {
            None => Self::nobody(fault.reason(), format!("{fault}, so the connection is closed")),
            Some(status) => {
                let answer = Answer::to_fault(fault, status, Some(asked), style, veil.trace);
                let dress = dress.map(|(dress, _)| dress);
                let mut answered = Self::answered(answer, dress, veil, &fault.to_string());
                if style.has_page_for(fault, status, asked) {
                    // The file has not been looked at.
                    answered.headers.retain(|header| header.name != "content-length");
                }
                Self { reason: Some(fault.reason()), ..answered }
            }
        }
    }

    /// The gateway answers with what it finds in a folder.
    pub(super) fn from_folder(because: String) -> Self {
        Self { answered_by: Answerer::Gateway, ..Self::passed(because) }
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
    pub(super) fn new(trace: &'t Trace, brought: &Fields, via_trusted: bool) -> Self {
        let text = |known| String::from_utf8_lossy(brought.get(known).unwrap_or_default());
        Self {
            trace,
            hides_id: !(via_trusted && text(Known::XRequestId) == trace.request_id.as_str()),
            hides_trace: !text(Known::Traceparent).contains(trace.trace_id.as_str()),
        }
    }

    pub(super) fn header(&self, field: Field<'_>) -> HeaderFact {
        let mut fact = HeaderFact::new(field.name, field.value);
        fact.value = if field.known == Known::Traceparent {
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
            text.replace(self.trace.request_id.as_str(), "<new id>")
        } else {
            text.to_owned()
        }
    }
}
