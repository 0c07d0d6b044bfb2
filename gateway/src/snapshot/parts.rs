//! What routes are made of and share. What is the same as before goes on as it is, with its connections
//! and counters.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use gateway_config::model::{self, CertificateFiles, Config};

use super::Lasting;
use super::error::BuildError;
use crate::guard::{Grounds, Guards};
use crate::metrics::UpstreamMetrics;
use crate::policy::limit::Limiter;
use crate::reply::Pages;
use crate::upstream::{StickyError, StickyKey, Tools, Trust, Upstream};

/// What routes share.
pub(super) struct Parts {
    /// By name. No two have the same: bare addresses look like no name.
    pub(super) upstreams: HashMap<String, Arc<Upstream>>,
    pub(super) limiters: HashMap<String, (Arc<model::Limit>, Arc<Limiter>)>,
    trust: HashMap<Shown, Trust>,
}

/// What routes are made of besides the configuration.
pub(super) struct Material<'m> {
    pub(super) parts: &'m Parts,
    pub(super) pages: Pages,
    pub(super) guards: Guards,
}

impl Parts {
    pub(super) fn build(
        config: &Config,
        lasting: &Lasting,
        before: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let trust = read_trust(config, before)?;
        let sticky = sticky_key(config)?;
        let mut upstreams = HashMap::with_capacity(config.upstreams.len());
        for upstream in &config.upstreams {
            let tls = trust.get(&shown(upstream)).map(|trust| trust.config.clone());
            let tls = tls.filter(|_| upstream.protocol == model::Protocol::Https);
            let known = before.and_then(|before| before.upstreams.get(&upstream.name));
            let kept = known.filter(|known| known.is_still(upstream, tls.as_ref())).cloned();
            let built = kept.unwrap_or_else(|| {
                let sticky = sticky.clone().filter(|_| is_sticky(upstream));
                let metrics = UpstreamMetrics::new(&lasting.metrics, &upstream.name);
                let workers = lasting.metrics.workers;
                let tools = Tools { names: &lasting.names, tls, sticky, metrics, workers };
                Upstream::new(upstream.clone(), tools)
            });
            upstreams.insert(upstream.name.clone(), built);
        }
        let limiters = config.limits.iter().map(|limit| {
            let known = before.and_then(|before| before.limiters.get(&limit.name));
            let kept =
                known.filter(|(before, _)| before == limit).map(|(_, limiter)| limiter.clone());
            let limiter = kept.unwrap_or_else(|| Arc::new(Limiter::new(limit)));
            (limit.name.clone(), (limit.clone(), limiter))
        });
        let limiters = limiters.collect();
        Ok(Self { upstreams, limiters, trust })
    }
}

impl<'m> Material<'m> {
    pub(super) fn read(
        config: &Config,
        lasting: &Lasting,
        parts: &'m Parts,
    ) -> Result<Self, BuildError> {
        let pages = Pages::read(config).map_err(BuildError::Pages)?;
        let grounds = Grounds { shared: &lasting.guarding, upstreams: &parts.upstreams };
        let guards = Guards::build(config, &grounds).map_err(BuildError::Guards)?;
        Ok(Self { parts, pages, guards })
    }
}

/// Whom an https upstream believes, and what it is shown.
type Shown = (Option<PathBuf>, Option<CertificateFiles>);

fn shown(upstream: &model::Upstream) -> Shown {
    (upstream.ca.clone(), upstream.client_cert.clone())
}

fn is_sticky(upstream: &model::Upstream) -> bool {
    matches!(upstream.balance, model::Balance::Sticky(_))
}

/// What the cookies are made with that keep clients with their servers.
fn sticky_key(config: &Config) -> Result<Option<Arc<StickyKey>>, StickyError> {
    let wanted = config.upstreams.iter().any(|upstream| is_sticky(upstream));
    wanted.then(|| StickyKey::open(&config.server.storage).map(Arc::new)).transpose()
}

/// How https upstreams are verified, and what they are shown. Files that are what they were before are
/// not parsed again.
fn read_trust(
    config: &Config,
    before: Option<&Parts>,
) -> Result<HashMap<Shown, Trust>, BuildError> {
    let mut trust: HashMap<Shown, Trust> = HashMap::new();
    for upstream in &config.upstreams {
        let shown = shown(upstream);
        if upstream.protocol == model::Protocol::Https && !trust.contains_key(&shown) {
            let known = before.and_then(|before| before.trust.get(&shown));
            let read =
                Trust::read(shown.0.as_deref(), shown.1.as_ref(), known).map_err(|source| {
                    BuildError::UpstreamTls { upstream: upstream.name.clone(), source }
                })?;
            trust.insert(shown, read);
        }
    }
    Ok(trust)
}
