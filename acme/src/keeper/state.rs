//! How a certificate stands, for whoever asks.

use gateway_config::model::HostPattern;
use serde::Serialize;

use crate::failure::Failed;
use crate::moment::Moment;
use crate::names::KeyType;
use crate::plan::{Begun, Lifetime, Window};

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
    /// Failed attempts in a row.
    pub failures: u32,
    /// The last of them.
    pub failed: Option<Failed>,
}

fn as_text<S: serde::Serializer>(hosts: &[HostPattern], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(hosts.iter().map(ToString::to_string))
}
