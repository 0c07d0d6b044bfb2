//! Cloudflare's API, version 4.

mod api;

use std::sync::Arc;

use gateway_config::model::Secret;
use hickory_resolver::proto::rr::Name;
use http::Method;
use serde::{Deserialize, Serialize};

use self::api::Api;
use super::record::{and_ancestors, shown};
use super::resolver::Resolver;
use super::{Change, CloudflareError, DnsError, Examined, TxtRecord, holder};
use crate::https::HttpsClient;

/// In seconds; the least that the API takes.
const TTL: u32 = 60;

/// "The record already exists", "An identical record already exists".
const ALREADY_THERE: [u64; 2] = [81057, 81058];

/// "Record does not exist".
const NOT_THERE: u64 = 81044;

/// An account's token, and where it is used.
#[derive(Debug)]
pub(super) struct Cloudflare {
    token: Secret,
    api: String,
    https: HttpsClient,
    resolver: Arc<Resolver>,
}

/// A zone or a record, of which only the id matters.
#[derive(Deserialize)]
struct Zone {
    id: String,
}

#[derive(Deserialize)]
struct Found {
    id: String,
    content: String,
}

#[derive(Serialize)]
struct New<'a> {
    r#type: &'static str,
    name: &'a str,
    content: &'a str,
    ttl: u32,
}

impl Cloudflare {
    pub(super) fn new(
        token: &Secret,
        api: &str,
        https: HttpsClient,
        resolver: Arc<Resolver>,
    ) -> Self {
        let api = api.trim_end_matches('/').to_owned();
        Self { token: token.clone(), api, https, resolver }
    }

    pub(super) async fn change(&self, record: &TxtRecord, change: Change) -> Result<(), DnsError> {
        let secret = self.token.read()?;
        let api = Api { https: &self.https, base: &self.api, token: &self.token, secret: &secret };
        // Cloudflare takes no TXT record beside a CNAME.
        let name = holder(record, &self.resolver).await?;
        let zone = self.zone_of(&api, &name).await?;
        let name = shown(&name);
        match change {
            Change::Set => add(&api, &zone, &name, record.value()).await?,
            Change::Remove => remove(&api, &zone, &name, record.value()).await?,
        }
        Ok(())
    }

    /// Looks for the zone, as before a change.
    pub(super) async fn examine(&self, record: &TxtRecord) -> Result<Examined, DnsError> {
        let secret = self.token.read()?;
        let api = Api { https: &self.https, base: &self.api, token: &self.token, secret: &secret };
        let name = holder(record, &self.resolver).await?;
        self.zone_of(&api, &name).await?;
        Ok(Examined::Cloudflare { holder: shown(&name) })
    }

    /// The id of the zone that the name is in.
    async fn zone_of(&self, api: &Api<'_>, name: &Name) -> Result<String, CloudflareError> {
        for ancestor in and_ancestors(name).map(|name| shown(&name)) {
            // No zone is called so, or has one label.
            if ancestor.starts_with('_') || !ancestor.contains('.') {
                continue;
            }
            let path = format!("/zones?name={ancestor}");
            let zones: Vec<Zone> = api.ask(Method::GET, &path, None, "find the zone").await?;
            if let Some(zone) = zones.into_iter().next() {
                return Ok(zone.id);
            }
        }
        Err(CloudflareError::NoZone { token: self.token.clone(), name: shown(name) })
    }
}

async fn add(api: &Api<'_>, zone: &str, name: &str, value: &str) -> Result<(), CloudflareError> {
    // A TXT record's content is a quoted string, says the API; without quotes it warns.
    let content = format!("\"{value}\"");
    let new = serde_json::json!(New { r#type: "TXT", name, content: &content, ttl: TTL });
    let path = format!("/zones/{zone}/dns_records");
    api.order(Method::POST, &path, Some(&new), "add the record", &ALREADY_THERE).await
}

async fn remove(api: &Api<'_>, zone: &str, name: &str, value: &str) -> Result<(), CloudflareError> {
    let path = format!("/zones/{zone}/dns_records?type=TXT&name={name}");
    // The value is compared here, since old records have no quotes around it.
    let records: Vec<Found> = api.ask(Method::GET, &path, None, "list the records").await?;
    for record in records.iter().filter(|record| record.content.trim_matches('"') == value) {
        let path = format!("/zones/{zone}/dns_records/{}", record.id);
        api.order(Method::DELETE, &path, None, "remove the record", &[NOT_THERE]).await?;
    }
    Ok(())
}
