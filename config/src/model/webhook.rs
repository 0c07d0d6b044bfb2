//! Deliveries that must be signed.

use std::fmt;
use std::time::Duration;

use super::Secret;

/// The largest delivery, in bytes. GitHub delivers nothing that is larger than 25 MB.
pub(crate) const LARGEST_DELIVERY: u64 = 25 << 20;

/// `webhook`: only what its provider has signed goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Who signs.
    pub provider: WebhookProvider,
    /// Where the secrets are; a signature by any of them is good. Never empty.
    pub secrets: Vec<Secret>,
    /// The events that go on; all of them where it is empty.
    pub events: Vec<WebhookEvent>,
    /// For how long a delivery is known again and refused; `None` where it may come again.
    pub remember: Option<Duration>,
}

/// Who signs deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookProvider {
    /// GitHub: HMAC-SHA256 over the body, in hex, in `X-Hub-Signature-256`.
    GitHub,
}

/// An event, or one action of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The event's name: `workflow_job`.
    pub name: String,
    /// The action: `queued`. `None`: all of them.
    pub action: Option<String>,
}

/// As the configuration writes it.
impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Some(action) => write!(f, "{}.{action}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
