//! What goes wrong with Cloudflare.

use std::time::Duration;

use gateway_config::model::Secret;

use crate::https::HttpsError;

/// Why Cloudflare did not change a record.
#[derive(Debug, thiserror::Error)]
pub enum CloudflareError {
    /// The API cannot be reached.
    #[error("Cloudflare's API was not reached: {0}")]
    Https(#[from] HttpsError),
    /// The API's address is none.
    #[error("`{api}` cannot be the address of Cloudflare's API. Leave `api` out.")]
    Address {
        /// The configured address.
        api: String,
    },
    /// The token holds what no header can carry.
    #[error(
        "the Cloudflare token ({token}) has characters that no token has. Copy it again, alone on one line."
    )]
    Malformed {
        /// Where the token comes from.
        token: Secret,
    },
    /// 401 or 403, or an error that means the same.
    #[error(
        "Cloudflare does not allow the token ({token}) to {what} ({said}). Make one with the permissions Zone.DNS:Edit and Zone.Zone:Read for the zone."
    )]
    Forbidden {
        /// Where the token comes from.
        token: Secret,
        /// What was asked for.
        what: &'static str,
        /// What the API said.
        said: String,
    },
    /// No zone of the token's holds the name.
    #[error(
        "the Cloudflare token ({token}) sees no zone that `{name}` is in. Add the domain to the account, or the zone to the token's resources."
    )]
    NoZone {
        /// Where the token comes from.
        token: Secret,
        /// The record's name.
        name: String,
    },
    /// 429.
    #[error(
        "Cloudflare takes no more requests for now{}. They will be made later; fewer at a time are possible if other programs share the token.",
        after.map(|after| format!(" (for {} s)", after.as_secs())).unwrap_or_default()
    )]
    RateLimited {
        /// How long to wait, where the API said it.
        after: Option<Duration>,
    },
    /// Another error of the API.
    #[error(
        "Cloudflare did not {what} ({said}). It will be tried again; if this lasts, look at the zone in Cloudflare's dashboard."
    )]
    Api {
        /// What was asked for.
        what: &'static str,
        /// What the API said.
        said: String,
    },
    /// The answer is not the API's.
    #[error(
        "what answers at `{api}` with status {status} is not Cloudflare's API. Check `api`, and proxies in between."
    )]
    Garbled {
        /// The configured address.
        api: String,
        /// The status of the answer.
        status: u16,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}
