//! How a certificate stands, for whoever asks.

use gateway_config::model::HostPattern;
use serde::Serialize;

use crate::failure::Failed;
use crate::moment::Moment;
use crate::names::KeyType;
use crate::plan::{Begun, Lifetime, Record, Window};

/// How one certificate stands.
#[derive(Debug, Clone, Serialize)]
pub struct State {
    /// The site's name.
    pub site: String,
    /// The hosts.
    #[serde(serialize_with = "as_text")]
    pub hosts: Vec<HostPattern>,
    /// The kind of its key.
    pub key: KeyType,
    /// Who issued it; none where there is none yet.
    pub issuer: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// From when to when it is valid.
    pub lifetime: Option<Lifetime>,
    /// The directory of the CA that issued it; none also for one that another program won.
    pub issued_by: Option<String>,
    /// Whether it was revoked, and its successor is being waited for.
    pub revoked: bool,
    /// The file, or what else keeps it.
    pub kept_in: String,
    /// When the CA suggests to renew it.
    pub window: Option<Window>,
    /// The CA's page about that.
    pub explanation: Option<String>,
    /// When it is to be renewed.
    pub due: Option<Moment>,
    /// When the next attempt is made.
    pub next_attempt: Moment,
    /// The directory of the CA that is asked then.
    pub next_directory: String,
    /// The attempt that is under way.
    pub under_way: Option<Begun>,
    /// What keeps attempts from being made.
    pub waits: Vec<Waiting>,
    /// Failed attempts in a row.
    pub failures: u32,
    /// The last of them.
    pub failed: Option<Failed>,
    /// What is kept and of no use, in a sentence each; it will be replaced.
    pub damaged: Vec<String>,
}

/// A wait after failed attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The directory of the CA that is not asked; none where no CA is.
    pub directory: Option<String>,
    /// How many attempts failed.
    pub failures: u32,
    /// When the wait is over.
    pub until: Moment,
}

impl Waiting {
    /// Every wait of a ledger that is not over.
    pub(super) fn all(record: &Record, now: Moment) -> Vec<Self> {
        let everywhere = record.wait.map(|wait| Self {
            directory: None,
            failures: record.failures,
            until: wait.end(),
        });
        let with_one = record.cas.iter().map(|(directory, tries)| Self {
            directory: Some(directory.clone()),
            failures: tries.failures,
            until: tries.wait.end(),
        });
        everywhere.into_iter().chain(with_one).filter(|wait| wait.until > now).collect()
    }
}

fn as_text<S: serde::Serializer>(hosts: &[HostPattern], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(hosts.iter().map(ToString::to_string))
}
