//! What the authority saw.

use std::time::{Instant, SystemTime};

use serde_json::Value;

use super::Shared;
use super::kind::Kind;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) path: String,
    /// The time by the authority's clock.
    pub(crate) at: SystemTime,
    /// The real time.
    pub(crate) instant: Instant,
    /// The account's URL, where a signature showed it.
    pub(crate) account: Option<String>,
    /// What was signed; null for POST-as-GET, and where nothing was.
    pub(crate) payload: Value,
    /// The answer's status; `None` while there is none.
    pub(crate) status: Option<u16>,
}

impl Shared {
    /// Keeps a request, and gives its number.
    pub(super) fn saw(&self, kind: Kind, path: &str) -> usize {
        let at = self.now();
        let mut seen = self.seen.lock().unwrap();
        seen.push(Seen {
            kind,
            path: path.to_owned(),
            at,
            instant: Instant::now(),
            account: None,
            payload: Value::Null,
            status: None,
        });
        seen.len() - 1
    }

    /// Adds to a request what is known later.
    pub(super) fn saw_more(&self, number: usize, more: impl FnOnce(&mut Seen)) {
        more(&mut self.seen.lock().unwrap()[number]);
    }
}
