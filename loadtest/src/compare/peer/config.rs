//! Configurations with places to fill in: `@name@`.

use super::Place;

/// The policy that the preset `app` sets, which all servers set.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; \
    style-src 'self' 'unsafe-inline' https://fonts.googleapis.com; \
    font-src 'self' https://fonts.gstatic.com data:; img-src 'self' data: blob: https:; \
    connect-src 'self' wss:; object-src 'none'; base-uri 'self'; form-action 'self'; \
    frame-ancestors 'self'";

/// Open files that are left to a server for other things than connections.
const OTHER_FILES: u64 = 100;

/// Fills in a template.
pub(super) fn filled(template: &str, place: &Place<'_>) -> String {
    let files = crate::bench::files::allow(super::super::FILES);
    // Each request takes a connection to the client and one to the origin.
    let connections = files.saturating_sub(OTHER_FILES) / 2;
    let values = [
        ("https", place.https.to_string()),
        ("https-port", place.https.port().to_string()),
        ("admin", place.admin.to_string()),
        ("origin", place.origin.to_string()),
        ("sink", place.sink.to_string()),
        ("name", crate::bench::certificate::NAME.to_owned()),
        ("cert", place.certificate.chain.display().to_string()),
        ("key", place.certificate.key.display().to_string()),
        ("cert-and-key", place.certificate.both.display().to_string()),
        ("connections", connections.to_string()),
        ("policy", POLICY.to_owned()),
    ];
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}
