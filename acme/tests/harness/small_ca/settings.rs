//! How the authority behaves when there is no trouble.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::answer::RetryAfter;

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How challenges are validated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Validation {
    /// They succeed, and nothing is looked for.
    Always,
    /// http-01 is fetched from this address, whatever the name; others fail.
    Http(SocketAddr),
}

/// The settings. The default: every challenge succeeds, real time, renewal information and profiles,
/// answers without delay.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) validation: Validation,
    /// What notBefore, notAfter and renewal windows are reckoned from.
    pub(crate) clock: Clock,
    /// Key ids and MAC keys. Where there are any, a new account needs one.
    pub(crate) external_accounts: HashMap<String, Vec<u8>>,
    /// The URL of the terms, to be agreed to.
    pub(crate) terms_of_service: Option<String>,
    /// Whether there is `renewalInfo` in the directory.
    pub(crate) renewal_info: bool,
    /// The window that is suggested for every certificate; unless set, it starts after two thirds of
    /// the validity and is 2 % of it long, and is over for one that was revoked.
    pub(crate) renewal_window: Option<(SystemTime, SystemTime)>,
    /// The page that explains the window.
    pub(crate) explanation_url: Option<String>,
    /// When to ask for renewal information again.
    pub(crate) renewal_retry_after: Option<RetryAfter>,
    /// Whether there are profiles in the directory and in orders.
    pub(crate) profiles: bool,
    /// Whether an order takes over the account's valid authorizations.
    pub(crate) reuses_authorizations: bool,
    /// How many looks at an order find it `processing` after finalize.
    pub(crate) processing_looks: u32,
    /// `Retry-After` of orders that are `processing` and of authorizations that are pending.
    pub(crate) poll_retry_after: Option<RetryAfter>,
    /// How many of the next good nonces are refused.
    pub(crate) refused_nonces: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            validation: Validation::Always,
            clock: Arc::new(SystemTime::now),
            external_accounts: HashMap::new(),
            terms_of_service: None,
            renewal_info: true,
            renewal_window: None,
            explanation_url: None,
            renewal_retry_after: Some(RetryAfter::Seconds(21_600)),
            profiles: true,
            reuses_authorizations: false,
            processing_looks: 0,
            poll_retry_after: None,
            refused_nonces: 0,
        }
    }
}
