//! Revocation (RFC 8555 section 7.6), by the account that the certificate was issued to.

use instant_acme::{Account, RevocationReason, RevocationRequest};
use rustls_pki_types::CertificateDer;

use super::despite_bad_nonces;
use super::explain::Attempt;
use super::order::kind;
use crate::failure::Failure;

/// Has a certificate revoked. That it was revoked before is fine.
pub(crate) async fn revoke(
    account: &Account,
    directory: &str,
    certificate: &CertificateDer<'_>,
    reason: Option<RevocationReason>,
) -> Result<(), Failure> {
    let request = RevocationRequest { certificate, reason };
    match despite_bad_nonces(async || account.revoke(&request).await).await {
        Err(error) if kind(&error) != "alreadyRevoked" => {
            Err(Attempt { directory, challenge: None }.failure(&error))
        }
        _ => Ok(()),
    }
}
