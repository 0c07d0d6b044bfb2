//! The certificate authority, as it is spoken to: RFC 8555 by instant-acme.

mod account;
mod directory;
mod explain;
mod http;
pub(crate) mod known;
mod order;
mod refusal;
mod renewal;
mod revoke;

pub(crate) use account::{Accounts, key as account_key, local};
pub(crate) use directory::DirectoryDocument;
pub(crate) use explain::Attempt;
pub(crate) use http::{Http, Skew};
pub use known::name;
pub(crate) use order::{Finished, Issue, Means, Trouble};
pub(crate) use renewal::Suggestion;
pub(crate) use revoke::revoke;

use instant_acme::Error;

/// Does something at a CA again for as long as it says that the nonce was bad: instant-acme gives up
/// after three, and a CA behind several front ends can go on for longer.
pub(crate) async fn despite_bad_nonces<T>(
    mut attempt: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    const MOST: u32 = 12;
    let mut left = MOST;
    loop {
        match attempt().await {
            Err(Error::Api(problem)) if is_bad_nonce(&problem) && left > 0 => left -= 1,
            outcome => return outcome,
        }
    }
}

fn is_bad_nonce(problem: &instant_acme::Problem) -> bool {
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:badNonce")
}
