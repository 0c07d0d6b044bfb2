//! Accounts at a certificate authority, by instant-acme itself.

use std::error::Error as StdError;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use bytes::Bytes;
use http::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{
    Account, AccountCredentials, BodyWrapper, BytesResponse, Error, ExternalAccountKey, HttpClient,
    NewAccount,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// What [`create`] makes unless told otherwise.
pub(crate) const NEW: NewAccount<'static> = NewAccount {
    contact: &["mailto:admin@example.org"],
    terms_of_service_agreed: true,
    only_return_existing: false,
};

/// A new account, without an external one. Bad nonces are no obstacle.
pub(crate) async fn create(directory: &str, ca: Option<&Path>) -> Account {
    loop {
        match try_create(directory, ca, None).await {
            Ok((account, _)) => return account,
            Err(error) if is_bad_nonce(&error) => {}
            Err(error) => panic!("no account at {directory}: {error:?}"),
        }
    }
}

/// A new account, as the CA answers; `ca` is the root to trust for its https.
pub(crate) async fn try_create(
    directory: &str,
    ca: Option<&Path>,
    external: Option<&ExternalAccountKey>,
) -> Result<(Account, AccountCredentials), Error> {
    let builder = Account::builder_with_http(Box::new(Http::trusting(ca)));
    builder.create(&NEW, directory.to_owned(), external).await
}

/// Whether the CA refused a nonce, three times in a row: instant-acme gives up then.
pub(crate) fn is_bad_nonce(error: &Error) -> bool {
    is_problem(error, "badNonce")
}

/// Whether the CA answered with this problem.
pub(crate) fn is_problem(error: &Error, kind: &str) -> bool {
    let Error::Api(problem) = error else { return false };
    problem.r#type.as_deref() == Some(&format!("urn:ietf:params:acme:error:{kind}"))
}

/// The HTTP client that instant-acme is given: https, and plain http as on loopback.
pub(crate) struct Http(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Http {
    /// One that trusts the roots in a file and no other.
    pub(crate) fn trusting(ca: Option<&Path>) -> Self {
        let mut roots = RootCertStore::empty();
        if let Some(ca) = ca {
            roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .build();
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let answer = self.0.request(request);
        Box::pin(async move {
            let other = |error| Error::Other(Box::<dyn StdError + Send + Sync>::from(error));
            answer.await.map(BytesResponse::from).map_err(other)
        })
    }
}
