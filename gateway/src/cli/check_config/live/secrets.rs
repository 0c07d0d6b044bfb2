//! Can what `[acme]` names be read: secrets, and files of roots?

use std::path::Path;

use gateway_config::Problems;
use gateway_config::model::{AcmeDirectory, Config, DnsProvider, Secret, Tls};

use super::super::finding::Finding;
use super::super::places::Places;
use crate::upstream::Trust;

/// Without sites that have their certificates by ACME nobody reads them.
pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    if !config.sites.iter().any(|site| matches!(site.tls, Tls::Acme(_))) {
        return;
    }
    let mut check = Check { places, problems };
    for (index, directory) in config.acme.directories.iter().enumerate() {
        check.directory(index, directory);
    }
    match &config.acme.dns {
        Some(DnsProvider::Rfc2136 { secret, .. }) => check.secret(None, &["dns", "secret"], secret),
        Some(DnsProvider::Cloudflare { token, .. }) => {
            check.secret(None, &["dns", "token"], token);
        }
        Some(DnsProvider::Exec { .. }) | None => {}
    }
}

struct Check<'c, 't> {
    places: &'c Places<'t>,
    problems: &'c mut Problems,
}

impl Check<'_, '_> {
    fn directory(&mut self, index: usize, directory: &AcmeDirectory) {
        if let Some(eab) = &directory.eab {
            self.secret(Some(index), &["eab", "key"], &eab.key);
        }
        if let Some(roots) = &directory.roots {
            self.roots(index, roots);
        }
    }

    fn secret(&mut self, directory: Option<usize>, keys: &[&str], secret: &Secret) {
        let Err(error) = secret.read() else { return };
        let place = self.places.acme(directory, keys);
        self.problems.push(Finding::Secret.problem_of(&error.to_string(), place));
    }

    /// `roots` of the directory, or `ca` where it has none: said once for all of these.
    fn roots(&mut self, index: usize, file: &Path) {
        let Err(error) = Trust::read(Some(file), None) else { return };
        let own = self.places.acme(Some(index), &["roots"]);
        let place = own.or_else(|| self.places.acme(None, &["ca"]));
        let text = error.to_string();
        let message = text.split_once("; ").map_or(text.as_str(), |(message, _)| message);
        let help = "name a PEM file of the roots that the CA's own https is checked against";
        let problem = Finding::AcmeRoots.problem(message.to_owned(), help.into(), place);
        if !self.problems.iter().any(|known| *known == problem) {
            self.problems.push(problem);
        }
    }
}
