//! Revocation (RFC 8555, section 7.6): by the account, or by the certificate's own key.

use super::Shared;
use super::answer::{Answer, Problem};
use super::jws;
use super::server::Signed;

impl Shared {
    pub(super) fn revoke(&self, request: &Signed) -> Result<Answer, Problem> {
        let der = jws::decode(request.payload["certificate"].as_str().unwrap_or_default())?;
        let reason = request.payload["reason"].as_u64().unwrap_or(0);
        if reason > 10 || reason == 7 {
            return Err(Problem::new(400, "badRevocationReason", format!("{reason} is none")));
        }
        let mut state = self.state.lock().unwrap();
        let certificate = state.certificates.iter_mut().find(|it| it.der == der);
        let certificate = certificate.ok_or_else(Problem::not_found)?;
        let is_own = match request.account {
            Some(account) => certificate.account == account,
            None => certificate.public_key == request.key.point,
        };
        if !is_own {
            return Err(Problem::unauthorized("this is another's certificate"));
        }
        if certificate.revoked.is_some() {
            return Err(Problem::new(400, "alreadyRevoked", "it was revoked before"));
        }
        certificate.revoked = Some(reason);
        Ok(Answer::empty(200))
    }
}
