//! Can the sites' certificates be served, and the upstreams' be verified?

use std::path::Path;
use std::time::{Duration, SystemTime};

use gateway_certs::{Built, CertificateSource, Slots, Warning};
use gateway_config::Problems;
use gateway_config::model::{Config, Protocol, Site, Tls};

use super::super::finding::Finding;
use super::super::places::Places;
use crate::time::Rfc3339;
use crate::upstream::Trust;

/// A certificate that ends sooner is worth a word.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// The certificates that are given as files; those of the local CA are made at start.
pub(super) fn check_sites(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    let with_files = |site: &&Site| matches!(site.tls, Tls::Files(_));
    let sites: Vec<Site> = config.sites.iter().filter(with_files).cloned().collect();
    match gateway_certs::build_store(
        &sites,
        &Slots::default(),
        &config.server.storage,
        SystemTime::now,
    ) {
        Ok(built) => look_closer(&sites, &built, places, problems),
        Err(failed) => {
            for problem in failed {
                let sentences = problem.to_string();
                let place = places.certificate(&problem.site, &sentences);
                problems.push(Finding::Certificate.problem_of(&sentences, place));
            }
        }
    }
}

fn look_closer(sites: &[Site], built: &Built, places: &Places<'_>, problems: &mut Problems) {
    for warning in &built.warnings {
        let site = match warning {
            Warning::KeyReadableByOthers { path, .. } | Warning::ChainOutOfOrder { path, .. } => {
                sites.iter().find(|site| names_file(site, path))
            }
            Warning::Unused { site, .. } => {
                sites.iter().find(|known| known.name.to_string() == *site)
            }
        };
        let sentences = warning.to_string();
        let place = site.and_then(|site| places.certificate(&site.name, &sentences));
        problems.push(Finding::CertificateRisk.problem_of(&sentences, place));
    }
    let soon = SystemTime::now() + SOON;
    for facts in built.facts.iter().filter(|facts| facts.not_after < soon) {
        let (Some(site), CertificateSource::File(file)) = (sites.get(facts.site), &facts.from)
        else {
            continue;
        };
        let message =
            format!("the certificate `{}` ends at {}", file.display(), Rfc3339(facts.not_after));
        let place = places.certificate(&site.name, &message);
        problems.push(Finding::CertificateRisk.problem(message, "renew it".into(), place));
    }
}

fn names_file(site: &Site, path: &Path) -> bool {
    match &site.tls {
        Tls::Files(files) => files.iter().any(|pair| pair.cert == path || pair.key == path),
        Tls::SelfSigned | Tls::Acme(_) => false,
    }
}

/// The roots that https upstreams are verified with.
pub(super) fn check_upstreams(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    for upstream in config.upstreams.iter().filter(|upstream| upstream.protocol == Protocol::Https)
    {
        let Err(error) = Trust::read(upstream.ca.as_deref(), None) else { continue };
        let text = format!("upstream `{}`: {error}", upstream.name);
        let (message, help) = text.split_once("; ").unwrap_or((&text, ""));
        let place = places.upstream(upstream, "ca");
        let place = place.or_else(|| places.endpoint(upstream, upstream.servers.first()?));
        problems.push(Finding::UpstreamTls.problem(message.to_owned(), help.to_owned(), place));
    }
}
