//! Showing the CA what it asks to see, and taking it away afterwards.

use gateway_config::model::ChallengeKind;
use instant_acme::{AuthorizationStatus, ChallengeHandle, ChallengeType, Error, Order};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::super::explain::Attempt;
use super::Means;
use crate::dns::TxtRecord;
use crate::failure::{Blame, Failure};

/// The challenge as instant-acme calls it.
pub(super) fn kind(kind: ChallengeKind) -> ChallengeType {
    match kind {
        ChallengeKind::Http01 => ChallengeType::Http01,
        ChallengeKind::TlsAlpn01 => ChallengeType::TlsAlpn01,
        ChallengeKind::Dns01 => ChallengeType::Dns01,
    }
}

/// What is shown for an order, to be taken away at its end.
pub(super) struct Provided<'a> {
    means: &'a Means,
    kind: ChallengeKind,
    tokens: Vec<String>,
    names: Vec<String>,
    records: Vec<TxtRecord>,
}

impl<'a> Provided<'a> {
    pub(super) fn new(means: &'a Means, kind: ChallengeKind) -> Self {
        Self { means, kind, tokens: Vec::new(), names: Vec::new(), records: Vec::new() }
    }

    /// Shows what every open authorization of the order asks for.
    pub(super) async fn provide_all(
        &mut self,
        order: &mut Order,
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        let failed = |error: Error| attempt.failure(&error);
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(failed)?;
            if authorization.status != AuthorizationStatus::Pending {
                continue;
            }
            let name = authorization.identifier().to_string();
            match authorization.challenge(kind(self.kind)) {
                Some(challenge) => self.provide(&challenge).await?,
                None => return Err(not_offered(&name, self.kind)),
            }
        }
        self.wait_for_records().await
    }

    async fn provide(&mut self, challenge: &ChallengeHandle<'_>) -> Result<(), Failure> {
        let name = challenge.identifier().to_string();
        let name = name.strip_prefix("*.").unwrap_or(&name);
        let answer = challenge.key_authorization();
        match self.kind {
            ChallengeKind::Http01 => {
                self.means.responder.add_token(&challenge.token, answer.as_str());
                self.tokens.push(challenge.token.clone());
            }
            ChallengeKind::TlsAlpn01 => {
                let certificate = alpn_certificate(name, answer.digest().as_ref())?;
                self.means.responder.add_certificate(name, certificate);
                self.names.push(name.to_owned());
            }
            ChallengeKind::Dns01 => {
                let record =
                    TxtRecord::new(&format!("_acme-challenge.{name}"), &answer.dns_value());
                let record = record.map_err(dns_failure)?;
                let Some((provider, _)) = &self.means.dns else {
                    return Err(not_offered(name, self.kind));
                };
                // Remembered first: what was perhaps set is to be taken away too.
                self.records.push(record.clone());
                provider.set(&record).await.map_err(dns_failure)?;
            }
        }
        Ok(())
    }

    async fn wait_for_records(&self) -> Result<(), Failure> {
        let Some((provider, lookout)) = &self.means.dns else { return Ok(()) };
        for record in &self.records {
            lookout.wait_until_visible(record, provider).await.map_err(dns_failure)?;
        }
        Ok(())
    }

    /// Takes everything away. A record that stays does no harm: the next value stands beside it.
    pub(super) async fn clean_up(self) {
        for token in &self.tokens {
            self.means.responder.remove_token(token);
        }
        for name in &self.names {
            self.means.responder.remove_certificate(name);
        }
        if let Some((provider, _)) = &self.means.dns {
            for record in &self.records {
                drop(provider.remove(record).await);
            }
        }
    }
}

fn not_offered(name: &str, kind: ChallengeKind) -> Failure {
    Failure {
        blame: Blame::Name,
        what: format!("{name}: the CA does not take {kind} for it."),
        advice: "Nothing is to be done where others are possible: the next attempt takes the next. Otherwise add one to `challenges` in [acme].".into(),
        retry_after: None,
    }
}

fn dns_failure(error: crate::dns::DnsError) -> Failure {
    Failure::explained(Blame::Local, "The record for dns-01 cannot be had: ", &error)
}

/// The certificate that shows that this server has the account's key (RFC 8737 section 3).
fn alpn_certificate(name: &str, digest: &[u8]) -> Result<CertifiedKey, Failure> {
    let failed = |error: String| Failure {
        blame: Blame::Local,
        what: format!(
            "{name}: the certificate for the challenge tls-alpn-01 cannot be made ({error})."
        ),
        advice: "This is about the gateway or the name: report it if it stays.".into(),
        retry_after: None,
    };
    let make = || {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate()?;
        Ok((params.self_signed(&key)?, key))
    };
    let (certificate, key) = make().map_err(|error: rcgen::Error| failed(error.to_string()))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
    let key = any_ecdsa_type(&key).map_err(|error| failed(error.to_string()))?;
    Ok(CertifiedKey::new(vec![certificate.into()], key))
}
