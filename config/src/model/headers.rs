//! Response headers: presets, and what a configuration adds to them.

use http::{HeaderName, HeaderValue};

/// A named set of security headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HeaderPreset {
    /// Nothing was chosen: headers that break no application.
    #[default]
    Standard,
    /// A web application with pages of its own.
    App,
    /// An API that no browser should render.
    Api,
    /// Grafana, which brings its own content security policy.
    Grafana,
    /// No header at all.
    Off,
}

/// What is done to the headers of every response of a route: the preset and the `set`, `default`
/// and `remove` of server, site and route, merged. No name stands twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// The preset that the merge began with.
    pub preset: HeaderPreset,
    /// Replaces whatever the upstream said.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Added only where the upstream said nothing.
    pub default: Vec<(HeaderName, HeaderValue)>,
    /// Dropped, whoever set it.
    pub remove: Vec<HeaderName>,
}
