//! Why an attempt failed: in plain words, with what to do, and whose turn it is to do it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// Whose fault it was, which decides who is asked when the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The CA cannot be reached, is in trouble, or says what it should not. Another may do better.
    Ca,
    /// A limit of the CA's is used up.
    Limit,
    /// What we are, or say, to this CA: the account, its binding, the profile.
    Account,
    /// The CA could not see that the names are ours. Each CA would see the same.
    Name,
    /// This machine: storage, DNS provider, or the gateway was stopped in the middle.
    Local,
}

impl Blame {
    /// A name from a fixed set, for the metric.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::Limit => "limit",
            Self::Account => "account",
            Self::Name => "name",
            Self::Local => "local",
        }
    }

    /// Whether it would have been the same with every other CA.
    pub(crate) fn is_everywhere(self) -> bool {
        matches!(self, Self::Name | Self::Local)
    }
}

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whose fault it was.
    pub blame: Blame,
    /// What happened, in a sentence, with what the CA said.
    pub what: String,
    /// What to do about it, in a sentence.
    pub advice: String,
    /// How long the CA asks to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// One that another part of the gateway explains in sentences of its own, the first of which says
    /// what happened.
    pub(crate) fn explained(blame: Blame, context: &str, error: &impl fmt::Display) -> Self {
        let text = error.to_string();
        let (what, advice) = text.split_once(". ").unwrap_or((text.trim_end_matches('.'), ""));
        let what = format!("{context}{what}.");
        Self { blame, what, advice: advice.to_owned(), retry_after: None }
    }
}

/// Both sentences.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.advice)
    }
}

impl std::error::Error for Failure {}

/// A failure as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// When.
    pub at: Moment,
    /// The directory of the CA that was asked.
    pub directory: String,
    /// What happened.
    #[serde(flatten)]
    pub failure: Failure,
}
