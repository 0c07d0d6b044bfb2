//! What a CA's directory says about it (RFC 8555 section 7.1.1).

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use instant_acme::Error;
use serde::Deserialize;

use super::http::Http;

/// The part of a directory that instant-acme does not show.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DirectoryDocument {
    #[serde(default)]
    renewal_info: Option<String>,
    #[serde(default)]
    new_order: Option<String>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    #[serde(default)]
    profiles: BTreeMap<String, String>,
    #[serde(default)]
    external_account_required: bool,
    #[serde(default)]
    caa_identities: Vec<String>,
}

impl DirectoryDocument {
    /// Asks for it.
    pub(crate) async fn fetch(http: &Http, url: &str) -> Result<Self, Error> {
        let request = Request::get(url).body(Bytes::new())?;
        let answer = http.send(request).await?;
        Ok(serde_json::from_slice(answer.body())?)
    }

    /// Whether certificates can be asked for at all: whether it is an ACME server's.
    pub(crate) fn takes_orders(&self) -> bool {
        self.new_order.is_some()
    }

    /// Whether it says when to renew (RFC 9773).
    pub(crate) fn has_renewal_info(&self) -> bool {
        self.renewal_info.is_some()
    }

    /// Below which URL that is asked for.
    pub(super) fn renewal_info(&self) -> Option<&str> {
        self.renewal_info.as_deref()
    }

    /// Whether it takes no account without a binding to another one.
    pub(crate) fn wants_external_account(&self) -> bool {
        self.meta.external_account_required
    }

    /// Its profiles, and what it says about each.
    pub(crate) fn into_profiles(self) -> BTreeMap<String, String> {
        self.meta.profiles
    }

    /// What CAA records call the CA.
    pub(crate) fn caa_identities(&self) -> &[String] {
        &self.meta.caa_identities
    }

    /// The names of its profiles.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.meta.profiles.keys().map(String::as_str)
    }
}
