//! The CAs that the gateway knows by name: what people call them, and the limits that they publish.

use std::time::Duration;

use gateway_config::model::{AcmeCa, AcmeDirectory};

use crate::plan::{Ca, Limits, Rate};

/// Let's Encrypt, "Rate Limits" (2025): 300 new orders an account in three hours, 5 certificates for
/// the same set of names in seven days.
const LETS_ENCRYPT_LIMITS: Limits = Limits {
    orders: Some(Rate { count: 300, within: Duration::from_secs(3 * 3600) }),
    same_names_a_week: Some(5),
    at_once: 8,
};

/// What to call a CA in a sentence.
#[must_use]
pub fn name(directory: &str) -> &str {
    match AcmeCa::NAMED.iter().find(|ca| ca.url() == directory) {
        Some(AcmeCa::LetsEncrypt) => "Let's Encrypt",
        Some(AcmeCa::LetsEncryptStaging) => "Let's Encrypt's staging environment",
        Some(AcmeCa::ZeroSsl) => "ZeroSSL",
        Some(AcmeCa::Google) => "Google Trust Services",
        Some(AcmeCa::Url(_)) | None => directory,
    }
}

/// What CAA records call a CA, by the CA's own documentation; none where that is not known.
pub(crate) fn caa_identities(ca: &AcmeCa) -> &'static [&'static str] {
    match ca {
        AcmeCa::LetsEncrypt | AcmeCa::LetsEncryptStaging => &["letsencrypt.org"],
        AcmeCa::ZeroSsl => &["sectigo.com"],
        AcmeCa::Google => &["pki.goog"],
        AcmeCa::Url(_) => &[],
    }
}

/// A CA as the plan sees it.
pub(crate) fn plan(directory: &AcmeDirectory) -> Ca {
    let staging = match directory.ca {
        AcmeCa::LetsEncrypt => Some(AcmeCa::LetsEncryptStaging),
        // Google's wants an account binding of its own, which nobody has at hand.
        _ => None,
    };
    let limits = match directory.ca {
        AcmeCa::LetsEncrypt => LETS_ENCRYPT_LIMITS,
        _ => Limits::UNKNOWN,
    };
    Ca {
        directory: directory.ca.url().to_owned(),
        staging: staging.map(|ca| ca.url().to_owned()),
        limits,
    }
}
