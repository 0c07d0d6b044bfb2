//! Is everything there that `client_certs`, `auth` and `webhook` read: CAs, secrets, users, keys?

use gateway_config::Problems;
use gateway_config::model::Config;

use super::super::finding::Finding;
use super::super::places::Places;
use crate::guard::lacking;

/// What several routes share is said once.
pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    for site in &config.sites {
        let clients = site.client_certs.as_ref().map(gateway_certs::client_verifier);
        if let Some(Err(error)) = clients {
            let place = places.policy(&site.name, 0, "client_certs");
            problems.push(Finding::Secret.problem_of(&error.to_string(), place));
        }
        for (index, route) in site.routes.iter().enumerate() {
            for (key, error) in lacking(&route.policy) {
                let place = places.policy(&site.name, index, key);
                let problem = Finding::Secret.problem_of(&error.to_string(), place);
                if !problems.iter().any(|known| *known == problem) {
                    problems.push(problem);
                }
            }
        }
    }
}
