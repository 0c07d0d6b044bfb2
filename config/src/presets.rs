//! The header presets' contents.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SERVER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use crate::level::HeaderOperation::{self, Default, Remove, Set};
use crate::model::HeaderPreset;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const X_POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");

const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("SAMEORIGIN");
const STRICT_ORIGIN: HeaderValue = HeaderValue::from_static("strict-origin-when-cross-origin");

/// Google's fonts and WebSockets are allowed, because nearly every web application needs them; an
/// application that sends a policy of its own keeps it.
const APP_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self' 'unsafe-inline'; \
     style-src 'self' 'unsafe-inline' https://fonts.googleapis.com; \
     font-src 'self' https://fonts.gstatic.com data:; img-src 'self' data: blob: https:; \
     connect-src 'self' wss:; object-src 'none'; base-uri 'self'; form-action 'self'; \
     frame-ancestors 'self'",
);
const API_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// What a preset does, in the order in which it is shown. No name stands twice.
pub(crate) fn operations(preset: HeaderPreset) -> Vec<(HeaderName, HeaderOperation)> {
    let specific = match preset {
        HeaderPreset::Off => return Vec::new(),
        HeaderPreset::Standard => vec![
            (X_CONTENT_TYPE_OPTIONS, Default(NO_SNIFF)),
            (REFERRER_POLICY, Default(STRICT_ORIGIN)),
            (X_FRAME_OPTIONS, Default(SAME_ORIGIN)),
        ],
        HeaderPreset::App => vec![
            (STRICT_TRANSPORT_SECURITY, Set(HSTS)),
            (X_CONTENT_TYPE_OPTIONS, Set(NO_SNIFF)),
            (X_FRAME_OPTIONS, Set(SAME_ORIGIN)),
            (REFERRER_POLICY, Set(STRICT_ORIGIN)),
            (
                PERMISSIONS_POLICY,
                Set(HeaderValue::from_static("camera=(), microphone=(), geolocation=()")),
            ),
            (CONTENT_SECURITY_POLICY, Default(APP_POLICY)),
        ],
        HeaderPreset::Api => vec![
            (STRICT_TRANSPORT_SECURITY, Set(HSTS)),
            (X_CONTENT_TYPE_OPTIONS, Set(NO_SNIFF)),
            (X_FRAME_OPTIONS, Set(HeaderValue::from_static("DENY"))),
            (REFERRER_POLICY, Set(HeaderValue::from_static("no-referrer"))),
            (CONTENT_SECURITY_POLICY, Default(API_POLICY)),
            (CACHE_CONTROL, Default(HeaderValue::from_static("no-store"))),
        ],
        HeaderPreset::Grafana => vec![
            (STRICT_TRANSPORT_SECURITY, Set(HSTS)),
            (X_CONTENT_TYPE_OPTIONS, Set(NO_SNIFF)),
            (X_FRAME_OPTIONS, Set(SAME_ORIGIN)),
            (REFERRER_POLICY, Set(STRICT_ORIGIN)),
        ],
    };
    let silent = [(SERVER, Remove), (X_POWERED_BY, Remove)];
    specific.into_iter().chain(silent).collect()
}
