//! The CAs that the gateway knows by name: their directories, and the limits that they publish.

use std::time::Duration;

use gateway_config::model::{AcmeCa, AcmeDirectory};

use crate::plan::{Ca, Limits, Rate};

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";
const ZERO_SSL: &str = "https://acme.zerossl.com/v2/DV90";
const GOOGLE: &str = "https://dv.acme-v02.api.pki.goog/directory";
const GOOGLE_STAGING: &str = "https://dv.acme-v02.test-api.pki.goog/directory";

/// Let's Encrypt, "Rate Limits" (2025): 300 new orders an account in three hours, 5 certificates for
/// the same set of names in seven days.
const LETS_ENCRYPT_LIMITS: Limits = Limits {
    orders: Some(Rate { count: 300, within: Duration::from_secs(3 * 3600) }),
    same_names_a_week: Some(5),
    at_once: 8,
};

/// The URL of a CA's directory.
#[must_use]
pub fn directory_url(ca: &AcmeCa) -> &str {
    match ca {
        AcmeCa::LetsEncrypt => LETS_ENCRYPT,
        AcmeCa::LetsEncryptStaging => LETS_ENCRYPT_STAGING,
        AcmeCa::ZeroSsl => ZERO_SSL,
        AcmeCa::Google => GOOGLE,
        AcmeCa::Url(url) => url,
    }
}

/// What to call a CA in a sentence.
#[must_use]
pub fn name(directory: &str) -> &str {
    match directory {
        LETS_ENCRYPT => "Let's Encrypt",
        LETS_ENCRYPT_STAGING => "Let's Encrypt's staging environment",
        ZERO_SSL => "ZeroSSL",
        GOOGLE => "Google Trust Services",
        GOOGLE_STAGING => "Google Trust Services' staging environment",
        url => url,
    }
}

/// A CA as the plan sees it.
pub(crate) fn plan(directory: &AcmeDirectory) -> Ca {
    let staging = match directory.ca {
        AcmeCa::LetsEncrypt => Some(LETS_ENCRYPT_STAGING),
        // Google's wants an account binding of its own, which nobody has at hand.
        _ => None,
    };
    let limits = match directory.ca {
        AcmeCa::LetsEncrypt => LETS_ENCRYPT_LIMITS,
        _ => Limits::UNKNOWN,
    };
    Ca {
        directory: directory_url(&directory.ca).to_owned(),
        staging: staging.map(ToOwned::to_owned),
        limits,
    }
}
