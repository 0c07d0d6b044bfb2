//! What goes wrong while a TXT record is changed or looked for.

mod cloudflare;
mod exec;
mod update;

use std::time::Duration;

use gateway_config::model::SecretError;

pub use self::cloudflare::CloudflareError;
pub use self::exec::ExecError;
pub use self::update::UpdateError;

/// Why a TXT record was not changed, or cannot be seen.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The record's name is none that a certificate could be for.
    #[error("`{name}` is no DNS name in ASCII, so it gets no TXT record. Correct the site's host.")]
    Name {
        /// What was given.
        name: String,
    },
    /// The record's value is not what a challenge has.
    #[error(
        "the value of the TXT record `{name}` is not base64url. The CA's challenge is damaged; ask for another."
    )]
    Value {
        /// The record's name.
        name: String,
    },
    /// The secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The operation took too long as a whole.
    #[error(
        "changing the TXT record `{name}` took longer than {} s. It will be tried again; if this lasts, check the connection to whoever changes it.",
        limit.as_secs()
    )]
    TimedOut {
        /// The record's name.
        name: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// One CNAME leads to the next for too long.
    #[error(
        "the CNAME records at `{name}` lead on and on. Make them end at the name that is to hold the TXT record."
    )]
    Aliases {
        /// Where it began.
        name: String,
    },
    /// By RFC 2136.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// By Cloudflare.
    #[error(transparent)]
    Cloudflare(#[from] CloudflareError),
    /// By a program.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The record was set, and name servers still do not show it.
    #[error(
        "the TXT record `{name}` could not be seen within {} s at {}. Check that these name servers follow the primary (NOTIFY, zone transfers), or wait longer.",
        waited.as_secs(),
        missing.join(", ")
    )]
    NotVisible {
        /// The name at which the record was looked for.
        name: String,
        /// The name servers without it, and what they say instead.
        missing: Vec<String>,
        /// How long it was waited for.
        waited: Duration,
    },
}
