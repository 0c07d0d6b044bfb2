//! Getting an issuer's keys: one request at a time asks for them, whoever else needs them waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::subrequest::Subrequest;
use crate::client::Client;
use crate::head::{Fields, Known, RequestHead};
use crate::headers::trace::Trace;
use crate::journal;
use crate::policy::auth::key_set::{Attempt, KeySet, KeyStore, freshness};
use crate::upstream::Upstream;
use crate::worker::Worker;

/// How long an issuer may take to send its keys.
const LIMIT: Duration = Duration::from_secs(5);

/// Whose keys, and where they are.
#[derive(Clone)]
pub(crate) enum Issuer {
    /// Keys of a file, read when the configuration was built.
    Fixed(Arc<KeySet>),
    /// Keys of a service.
    Asked(Arc<Service>),
}

/// A service that tells keys.
pub(crate) struct Service {
    pub(crate) store: Arc<KeyStore>,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) authority: String,
    pub(crate) path: String,
}

impl Issuer {
    /// The keys that there are. Stale ones are used while they are fetched anew.
    ///
    /// # Errors
    /// Why there are none: a sentence for the log.
    pub(crate) async fn keys(&self, worker: &Arc<Worker>) -> Result<Arc<KeySet>, String> {
        let service = match self {
            Self::Fixed(keys) => return Ok(keys.clone()),
            Self::Asked(service) => service,
        };
        let Some(keys) = service.store.current() else {
            let failure = service.refresh(None, worker).await;
            return service.store.current().ok_or_else(|| failure.unwrap_or_default());
        };
        if !keys.is_fresh(Instant::now()) && service.is_due() {
            let (service, worker, stale) = (service.clone(), worker.clone(), keys.clone());
            // Nobody has to wait for it.
            tokio::spawn(async move { service.refresh(Some(&stale), &worker).await });
        }
        Ok(keys)
    }

    /// Keys that are newer than these, where there are any.
    pub(crate) async fn newer_keys(
        &self,
        known: &Arc<KeySet>,
        worker: &Arc<Worker>,
    ) -> Option<Arc<KeySet>> {
        let Self::Asked(service) = self else { return None };
        service.refresh(Some(known), worker).await;
        service.store.current().filter(|keys| !Arc::ptr_eq(keys, known))
    }
}

impl Service {
    /// Whether nobody asks just now, and it is not too early to ask again.
    fn is_due(&self) -> bool {
        let last = self.store.attempt.try_lock();
        last.is_ok_and(|last| self.store.may_ask(last.as_ref(), Instant::now()))
    }

    /// Fetches keys, unless somebody else just has, or it is too early to ask again. Why that failed.
    async fn refresh(&self, known: Option<&Arc<KeySet>>, worker: &Arc<Worker>) -> Option<String> {
        let mut last = self.store.attempt.lock().await;
        let is_news = match (self.store.current(), known) {
            (Some(current), Some(known)) => !Arc::ptr_eq(&current, known),
            (current, None) => current.is_some(),
            (None, Some(_)) => false,
        };
        if is_news {
            return None;
        }
        if !self.store.may_ask(last.as_ref(), Instant::now()) {
            return last.as_ref().and_then(|last| last.failure.clone());
        }
        let failure = self.fetch(worker).await.err();
        if let Some(why) = &failure {
            let fields: [(&str, &dyn std::fmt::Display); 1] = [("issuer", &self.authority)];
            journal::warn("keys", format_args!("keys of an issuer cannot be had: {why}"), &fields);
        }
        *last = Some(Attempt { ended: Instant::now(), failure: failure.clone() });
        failure
    }

    async fn fetch(&self, worker: &Arc<Worker>) -> Result<(), String> {
        let (mut head, added) = (RequestHead::default(), Fields::default());
        head.fields.add(b"accept", b"application/jwk-set+json, application/json");
        let nobody = std::net::Ipv4Addr::UNSPECIFIED.into();
        let subrequest = Subrequest {
            worker,
            upstream: &self.upstream,
            head: &head,
            added: &added,
            client: Client { ip: nobody, via_trusted: false },
            peer: "unknown",
            authority: &self.authority,
            trace: &Trace::begin(),
            target: &self.path,
            limit: LIMIT,
        };
        let answer = subrequest.ask().await?;
        if answer.head.status != StatusCode::OK {
            return Err(format!("it answered {}", answer.head.status.as_u16()));
        }
        let fresh_for = freshness(answer.head.fields.get(Known::CacheControl));
        let keys = KeySet::read(&answer.body, Some(Instant::now() + fresh_for));
        self.store.put(Arc::new(keys.map_err(|error| error.to_string())?));
        Ok(())
    }
}
