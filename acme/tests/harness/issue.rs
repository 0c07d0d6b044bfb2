//! The way from an order to a certificate, by instant-acme itself, and what is checked of the latter.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, KeyAuthorization, NewOrder,
    Order, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::responder::Responder;

/// What was issued.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

/// How often instant-acme asks whether something is done.
pub(crate) fn polling() -> RetryPolicy {
    RetryPolicy::new()
        .initial_delay(Duration::from_millis(20))
        .backoff(1.5)
        .timeout(Duration::from_secs(20))
}

/// DNS identifiers.
pub(crate) fn names(names: &[&str]) -> Vec<Identifier> {
    names.iter().map(|&name| Identifier::Dns(name.to_owned())).collect()
}

/// Orders and gets a certificate, by http-01.
pub(crate) async fn by_http(
    account: &Account,
    responder: &Responder,
    order: &NewOrder<'_>,
) -> Result<Issued, Error> {
    let mut order = account.new_order(order).await?;
    authorize_by_http(&mut order, responder).await?;
    finish(&mut order).await
}

/// Has every pending authorization checked by http-01.
pub(crate) async fn authorize_by_http(
    order: &mut Order,
    responder: &Responder,
) -> Result<(), Error> {
    authorize(order, ChallengeType::Http01, async |_, token, key| {
        responder.set(token, key.as_str())
    })
    .await
}

/// Has every pending authorization checked; `provide` gets name, token and key authorization before.
pub(crate) async fn authorize(
    order: &mut Order,
    kind: ChallengeType,
    provide: impl AsyncFn(&str, &str, KeyAuthorization),
) -> Result<(), Error> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = authorization.challenge(kind.clone()).unwrap();
        let name = challenge.identifier().to_string();
        provide(&name, &challenge.token, challenge.key_authorization()).await;
        challenge.set_ready().await?;
    }
    Ok(())
}

/// Waits for the order to be ready, and gets its certificate.
pub(crate) async fn finish(order: &mut Order) -> Result<Issued, Error> {
    order.poll_ready(&polling()).await?;
    let mut names = Vec::new();
    let mut identifiers = order.identifiers();
    while let Some(identifier) = identifiers.next().await {
        names.push(identifier?.to_string());
    }
    order.finalize_csr(&request(names)).await?;
    let pem = order.poll_certificate(&polling()).await?;
    Ok(Issued::from_pem(&pem))
}

/// A certificate request for these names by a new key.
pub(crate) fn request(names: Vec<String>) -> Vec<u8> {
    request_by(&KeyPair::generate().unwrap(), names)
}

/// [`request`] by a known key.
pub(crate) fn request_by(key: &KeyPair, names: Vec<String>) -> Vec<u8> {
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.serialize_request(key).unwrap().der().to_vec()
}

impl Issued {
    /// The chain in a PEM text.
    pub(crate) fn from_pem(pem: &str) -> Self {
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>();
        Self { chain: chain.unwrap() }
    }

    /// Whether a client that trusts this root takes the chain for a name at a time, and if not, why.
    pub(crate) fn check(&self, name: &str, root: &str, at: UnixTime) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
        let provider = aws_lc_rs::default_provider().into();
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(&self.chain[0], &self.chain[1..], &name, &[], at).map(|_| ())
    }
}
