//! Guards, made from a configuration.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_config::model::{self, Config, KeySource, SecretError};

use super::auth::Auth;
use super::issuer::{Issuer, Service};
use super::{BODY_IDLE, Guard, Guarding};
use crate::policy::auth::basic::{Basic, UsersError};
use crate::policy::auth::forward::Forward;
use crate::policy::auth::jwt::Jwt;
use crate::policy::auth::key_set::{KeySet, KeySetError};
use crate::policy::webhook::Verifier;
use crate::upstream::Upstream;

/// Why a guard cannot stand at its route.
#[derive(Debug, thiserror::Error)]
#[error("site `{site}`, route `{route}`: {source}")]
pub struct GuardProblem {
    site: String,
    route: String,
    source: GuardError,
}

/// What a guard lacks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuardError {
    /// The webhook's secret.
    #[error("`webhook`: {0}")]
    Webhook(#[source] SecretError),
    /// The users.
    #[error("`auth`: {0}")]
    Users(#[source] UsersError),
    /// The file of keys cannot be read.
    #[error("`auth`: the keys `{}` cannot be read ({source}). Put them there, readable for the gateway's user.", path.display())]
    ReadKeys {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file holds no keys.
    #[error("`auth`: the keys `{}` are of no use: {source}. Save the key set of the issuer there.", path.display())]
    Keys {
        path: PathBuf,
        #[source]
        source: KeySetError,
    },
    /// An upstream that the configuration does not list, which it does not let happen.
    #[error("`auth`: there is no upstream `{0}`")]
    NoUpstream(String),
}

/// What guards are made of besides the configuration.
pub(crate) struct Grounds<'g> {
    pub(crate) shared: &'g Arc<Guarding>,
    pub(crate) upstreams: &'g HashMap<String, Arc<Upstream>>,
}

/// The guards of all routes that have one.
#[derive(Default)]
pub(crate) struct Guards {
    by_route: HashMap<*const model::Route, Arc<Guard>>,
}

impl Guards {
    /// Makes them; secrets are read now.
    ///
    /// # Errors
    /// Everything that is missing, each thing once.
    pub(crate) fn build(config: &Config, grounds: &Grounds<'_>) -> Result<Self, Vec<GuardProblem>> {
        let (mut guards, mut problems) = (Self::default(), Vec::<GuardProblem>::new());
        for site in &config.sites {
            for route in &site.routes {
                match Guard::build(site, route, grounds) {
                    Ok(None) => {}
                    Ok(Some(guard)) => {
                        guards.by_route.insert(std::ptr::from_ref(route), Arc::new(guard));
                    }
                    Err(source) => {
                        let text = source.to_string();
                        if !problems.iter().any(|known| known.source.to_string() == text) {
                            let (site, route) = (site.name.to_string(), route.path.to_string());
                            problems.push(GuardProblem { site, route, source });
                        }
                    }
                }
            }
        }
        if problems.is_empty() { Ok(guards) } else { Err(problems) }
    }

    /// The guard of a route of the same configuration.
    pub(crate) fn of(&self, route: &model::Route) -> Option<Arc<Guard>> {
        self.by_route.get(&std::ptr::from_ref(route)).cloned()
    }
}

impl Guard {
    fn build(
        site: &model::Site,
        route: &model::Route,
        grounds: &Grounds<'_>,
    ) -> Result<Option<Self>, GuardError> {
        let policy = &route.policy;
        let place = || format!("{} {}", site.name, route.path);
        let webhook = policy.webhook.as_ref();
        let webhook = webhook.map(|webhook| Verifier::new(webhook, place())).transpose();
        let webhook = webhook.map_err(GuardError::Webhook)?;
        let auth = policy.auth.as_ref().map(|auth| grounds.auth(auth)).transpose()?;
        let subject_header = site.client_certs.as_ref().and_then(|clients| clients.header.clone());
        if webhook.is_none() && auth.is_none() && subject_header.is_none() {
            return Ok(None);
        }
        let (cap, idle) = (policy.body, policy.idle.unwrap_or(BODY_IDLE));
        Ok(Some(Self { shared: grounds.shared.clone(), subject_header, auth, webhook, cap, idle }))
    }
}

/// What a route's guard lacks on this machine: secrets, users, keys. Each with the policy's key.
pub(crate) fn lacking(policy: &model::Policy) -> Vec<(&'static str, GuardError)> {
    let secrets = policy.webhook.iter().flat_map(|webhook| &webhook.secrets);
    let unread = secrets.filter_map(|secret| secret.read().err());
    let mut lacking: Vec<_> = unread.map(|error| ("webhook", GuardError::Webhook(error))).collect();
    let auth = match policy.auth.as_deref() {
        Some(model::Auth::Basic(basic)) => Basic::new(basic).err().map(GuardError::Users),
        Some(model::Auth::Jwt(jwt)) => match &jwt.keys {
            KeySource::File(path) => read_keys(path).err(),
            KeySource::Url { .. } => None,
        },
        Some(model::Auth::Forward(_)) | None => None,
    };
    lacking.extend(auth.map(|error| ("auth", error)));
    lacking
}

impl Grounds<'_> {
    fn auth(&self, auth: &model::Auth) -> Result<Auth, GuardError> {
        Ok(match auth {
            model::Auth::Basic(basic) => Auth::Basic(Basic::new(basic).map_err(GuardError::Users)?),
            model::Auth::Forward(forward) => Auth::Forward {
                policy: Forward::new(forward),
                upstream: self.upstream(&forward.upstream)?,
            },
            model::Auth::Jwt(jwt) => {
                Auth::Jwt { policy: Jwt::new(jwt), issuer: self.issuer(&jwt.keys)? }
            }
        })
    }

    fn upstream(&self, upstream: &Arc<model::Upstream>) -> Result<Arc<Upstream>, GuardError> {
        let built = self.upstreams.get(&upstream.name);
        built.cloned().ok_or_else(|| GuardError::NoUpstream(upstream.name.clone()))
    }

    fn issuer(&self, keys: &KeySource) -> Result<Issuer, GuardError> {
        let (upstream, authority, path) = match keys {
            KeySource::File(path) => return read_keys(path).map(Issuer::Fixed),
            KeySource::Url { upstream, authority, path } => (upstream, authority, path),
        };
        let url = format!("{} {authority}{path}", upstream.name);
        let store = self.shared.issuers.lock().entry(url).or_default().clone();
        let upstream = self.upstream(upstream)?;
        let (authority, path) = (authority.clone(), path.clone());
        Ok(Issuer::Asked(Arc::new(Service { store, upstream, authority, path })))
    }
}

fn read_keys(path: &Path) -> Result<Arc<KeySet>, GuardError> {
    let text = std::fs::read(path)
        .map_err(|source| GuardError::ReadKeys { path: path.to_owned(), source })?;
    let keys = KeySet::read(&text, None);
    keys.map(Arc::new).map_err(|source| GuardError::Keys { path: path.to_owned(), source })
}
