//! The directory, and the profiles that it names.

use std::time::Duration;

use serde_json::json;

use super::Shared;
use super::answer::{Answer, Problem};
use super::state::Identifier;

/// Names, descriptions and validity in hours. The first is that of orders without a profile.
const PROFILES: [(&str, &str, u64); 3] = [
    ("classic", "The profile that you are used to: 90 days", 90 * 24),
    ("tlsserver", "A profile for TLS servers: 45 days", 45 * 24),
    ("shortlived", "A profile for short lives: 160 hours", 160),
];

/// The one profile that has IP addresses.
const FOR_IP: &str = "shortlived";

/// A profile by its name, if it allows these identifiers.
pub(super) fn choose(
    wanted: Option<&str>,
    identifiers: &[Identifier],
) -> Result<&'static str, Problem> {
    let wanted = wanted.unwrap_or(PROFILES[0].0);
    let Some(&(name, ..)) = PROFILES.iter().find(|profile| profile.0 == wanted) else {
        let detail = format!("there is no profile {wanted:?}");
        return Err(Problem::new(400, "invalidProfile", detail));
    };
    if name != FOR_IP && identifiers.iter().any(|it| matches!(it, Identifier::Ip(_))) {
        let detail = format!("the profile {name:?} has no IP addresses");
        return Err(Problem::new(400, "rejectedIdentifier", detail));
    }
    Ok(name)
}

/// How long certificates of a profile are valid.
pub(super) fn validity(name: &str) -> Duration {
    let profile = PROFILES.iter().find(|profile| profile.0 == name).unwrap();
    Duration::from_secs(profile.2 * 3600)
}

impl Shared {
    pub(super) fn directory(&self) -> Answer {
        let settings = self.settings.lock().unwrap();
        let mut directory = json!({
            "newNonce": self.url("/new-nonce"),
            "newAccount": self.url("/new-account"),
            "newOrder": self.url("/new-order"),
            "revokeCert": self.url("/revoke-cert"),
            "keyChange": self.url("/key-change"),
            "meta": { "externalAccountRequired": !settings.external_accounts.is_empty() },
        });
        if let Some(terms) = &settings.terms_of_service {
            directory["meta"]["termsOfService"] = terms.clone().into();
        }
        if settings.renewal_info {
            directory["renewalInfo"] = self.url("/renewal-info").into();
        }
        if settings.profiles {
            for (name, description, _) in PROFILES {
                directory["meta"]["profiles"][name] = description.into();
            }
        }
        Answer::json(200, &directory)
    }
}
