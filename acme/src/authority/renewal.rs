//! Asking a CA when a certificate is to be renewed (RFC 9773).
//!
//! instant-acme asks too, but of an account, and takes no answer that does not say when to ask again.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use gateway_certs::Certificate;
use http::Request;
use instant_acme::{CertificateIdentifier, Error, RenewalInfo};

use super::directory::DirectoryDocument;
use super::http::Http;
use super::refusal::retry_after;
use crate::moment::Moment;
use crate::plan::Window;

/// When to ask again where the CA does not say (RFC 9773 section 4.3.3).
const USUALLY: Duration = Duration::from_secs(6 * 3600);

/// What a CA says about a renewal.
#[derive(Debug)]
pub(crate) struct Suggestion {
    pub(crate) window: Window,
    /// The CA's page about it.
    pub(crate) explanation: Option<String>,
    /// After what time to ask again.
    pub(crate) again: Duration,
}

impl Suggestion {
    /// Asks for it. No account is needed.
    pub(crate) async fn fetch(
        http: &Http,
        directory: &DirectoryDocument,
        certificate: &Certificate,
    ) -> Result<Self, Error> {
        let url = directory.renewal_info().ok_or(Error::Unsupported("renewal information"))?;
        let leaf = certificate.certified_key().cert.first();
        let leaf = leaf.ok_or(Error::Str("a certificate to ask about"))?;
        let id =
            CertificateIdentifier::try_from(leaf).map_err(|error| Error::Other(error.into()))?;
        let request = Request::get(format!("{}/{id}", url.trim_end_matches('/')));
        let answer = http.send(request.body(Bytes::new())?).await?;
        let info: RenewalInfo = serde_json::from_slice(answer.body())?;
        let moment = |time| Moment::from(SystemTime::from(time));
        let (start, end) = (info.suggested_window.start, info.suggested_window.end);
        if end <= start {
            return Err(Error::Str("a window that ends after it begins"));
        }
        Ok(Self {
            window: Window { start: moment(start), end: moment(end) },
            explanation: info.explanation_url,
            again: retry_after(answer.headers(), SystemTime::now()).unwrap_or(USUALLY),
        })
    }
}
