//! Renewal information (RFC 9773).

use std::time::{Duration, SystemTime};

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Shared;
use super::answer::{Answer, Problem};
use super::state::{Certificate, Identifier, Status};

impl Shared {
    /// Section 4: the window, and when to ask again.
    pub(super) fn renewal_info(&self, id: &str) -> Result<Answer, Problem> {
        let settings = self.settings.lock().unwrap().clone();
        let state = self.state.lock().unwrap();
        let certificate = state.certificates.iter().find(|it| it.id == id);
        let Some(certificate) = certificate.filter(|_| settings.renewal_info) else {
            return Err(Problem::not_found());
        };
        let (start, end) = settings.renewal_window.unwrap_or_else(|| window(certificate));
        let mut body = json!({
            "suggestedWindow": { "start": rfc3339(start), "end": rfc3339(end) },
        });
        if let Some(url) = settings.explanation_url {
            body["explanationURL"] = url.into();
        }
        Ok(Answer::json(200, &body).with_retry_after(settings.renewal_retry_after))
    }

    /// Section 5: what a server checks of `replaces`.
    pub(super) fn check_replaced(
        &self,
        id: &str,
        account: usize,
        identifiers: &[Identifier],
    ) -> Result<(), Problem> {
        let state = self.state.lock().unwrap();
        let certificate = state.certificates.iter().find(|it| it.id == id);
        let certificate =
            certificate.ok_or_else(|| Problem::malformed(format!("no certificate {id}")))?;
        if certificate.account != account {
            return Err(Problem::unauthorized("what is replaced is another's certificate"));
        }
        if !identifiers.iter().any(|it| certificate.identifiers.contains(it)) {
            return Err(Problem::malformed("what is replaced has none of these identifiers"));
        }
        let is_replaced = certificate
            .replaced_by
            .is_some_and(|order| state.orders[order].status != Status::Invalid);
        if is_replaced {
            let detail = "another order has replaced this certificate";
            return Err(Problem::new(409, "alreadyReplaced", detail));
        }
        Ok(())
    }

    pub(super) fn mark_replaced(&self, id: &str, order: usize) {
        let mut state = self.state.lock().unwrap();
        if let Some(certificate) = state.certificates.iter_mut().find(|it| it.id == id) {
            certificate.replaced_by = Some(order);
        }
    }
}

/// The window of a certificate that nobody said anything about.
fn window(certificate: &Certificate) -> (SystemTime, SystemTime) {
    let Certificate { not_before, not_after, .. } = *certificate;
    let validity = not_after.duration_since(not_before).unwrap_or(Duration::ZERO);
    if certificate.revoked.is_some() {
        return (not_before, not_before + Duration::from_secs(1));
    }
    let start = not_before + validity * 2 / 3;
    (start, start + validity / 50)
}

/// A time as JSON has it, in whole seconds.
pub(super) fn rfc3339(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at).replace_nanosecond(0).unwrap();
    at.format(&Rfc3339).unwrap()
}
