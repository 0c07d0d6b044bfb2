//! Policies of one level (server, site or route), and how levels become a route's policy.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::model::{
    Access, Auth, Bandwidth, CacheControl, Compress, Cors, DenyPaths, HeaderPreset,
    LARGEST_DELIVERY, Limit, Maintenance, Policy, ResponseHeaders, Webhook,
};
use crate::presets;

mod errors;

pub(crate) use errors::ErrorsLevel;

/// Without a key: 10 MiB.
const BODY: u64 = 10 << 20;
/// What backups and secrets are called.
const DENIED_SUFFIXES: [&str; 4] = [".env", ".log", ".sql", ".bak"];

/// What one level says; `None` where it says nothing.
#[derive(Debug, Default)]
pub(crate) struct Level {
    /// `Some(None)`: not being worked on, whatever outer levels say.
    pub(crate) maintenance: Option<Option<Maintenance>>,
    pub(crate) headers: Option<HeaderLevel>,
    pub(crate) limits: Option<Vec<Arc<Limit>>>,
    pub(crate) access: Option<Access>,
    pub(crate) deny_paths: Option<DenyLevel>,
    pub(crate) bandwidth: Option<Bandwidth>,
    pub(crate) body: Option<u64>,
    pub(crate) idle: Option<Duration>,
    pub(crate) errors: Option<ErrorsLevel>,
    /// `Some(None)` takes away what outer levels say.
    pub(crate) cors: Option<Option<Cors>>,
    pub(crate) cache_control: Option<Vec<CacheControl>>,
    /// `Some(None)` takes away what outer levels say.
    pub(crate) compress: Option<Option<Compress>>,
    /// `Some(None)` turns off what outer levels said.
    pub(crate) auth: Option<Option<Arc<Auth>>>,
    /// The same.
    pub(crate) webhook: Option<Option<Arc<Webhook>>>,
    pub(crate) forwarded: Option<bool>,
    pub(crate) log: Option<bool>,
}

/// What one level says about headers.
#[derive(Debug, Default)]
pub(crate) struct HeaderLevel {
    pub(crate) preset: Option<HeaderPreset>,
    pub(crate) operations: Vec<(HeaderName, HeaderOperation)>,
}

/// What is done to one header.
#[derive(Debug, Clone)]
pub(crate) enum HeaderOperation {
    Set(HeaderValue),
    Default(HeaderValue),
    Remove,
}

/// What one level says about `deny_paths`.
#[derive(Debug)]
pub(crate) enum DenyLevel {
    On,
    Off,
    Add(Vec<String>),
}

/// A route's policy, from its levels: server, site, route.
pub(crate) fn merge(levels: &[&Level]) -> Policy {
    let headers = merge_headers(levels);
    let webhook = nearest(levels, |level| level.webhook.clone()).flatten();
    Policy {
        maintenance: nearest(levels, |level| level.maintenance.clone()).flatten(),
        access: levels.iter().filter_map(|level| level.access.clone()).collect(),
        deny_paths: merge_deny_paths(levels),
        limits: nearest(levels, |level| level.limits.clone()).unwrap_or_default(),
        bandwidth: nearest(levels, |level| level.bandwidth),
        body: merge_body(levels, webhook.is_some()),
        idle: nearest(levels, |level| level.idle),
        errors: errors::merge(levels, headers.preset),
        headers,
        cors: nearest(levels, |level| level.cors.clone()).flatten(),
        cache_control: nearest(levels, |level| level.cache_control.clone()).unwrap_or_default(),
        compress: nearest(levels, |level| level.compress.clone()).flatten(),
        auth: nearest(levels, |level| level.auth.clone()).flatten(),
        webhook,
        forwarded: nearest(levels, |level| level.forwarded).unwrap_or(false),
        log: nearest(levels, |level| level.log).unwrap_or(true),
    }
}

fn nearest<T>(levels: &[&Level], of: impl Fn(&Level) -> Option<T>) -> Option<T> {
    levels.iter().rev().find_map(|level| of(level))
}

/// A delivery is held in memory, so that nothing larger than deliveries are is let in.
fn merge_body(levels: &[&Level], is_held: bool) -> u64 {
    let said = nearest(levels, |level| level.body);
    match is_held {
        true => said.unwrap_or(LARGEST_DELIVERY).min(LARGEST_DELIVERY),
        false => said.unwrap_or(BODY),
    }
}

fn merge_deny_paths(levels: &[&Level]) -> DenyPaths {
    let said = levels.iter().filter_map(|level| level.deny_paths.as_ref());
    said.fold(DenyPaths::standard(), |mut paths, level| {
        let more = match level {
            DenyLevel::Off => return DenyPaths::none(),
            DenyLevel::On => {
                paths.dotfiles = true;
                DenyPaths::standard().suffixes
            }
            DenyLevel::Add(suffixes) => suffixes.clone(),
        };
        for suffix in more {
            if !paths.suffixes.contains(&suffix) {
                paths.suffixes.push(suffix);
            }
        }
        paths
    })
}

/// The nearest preset is the ground; then every level from the farthest to the nearest, so that the
/// nearest word about a header is the last.
fn merge_headers(levels: &[&Level]) -> ResponseHeaders {
    let said = || levels.iter().filter_map(|level| level.headers.as_ref());
    let preset = said().rev().find_map(|level| level.preset).unwrap_or_default();
    let mut operations = presets::operations(preset);
    for (name, operation) in said().flat_map(|level| level.operations.iter()) {
        operations.retain(|(earlier, _)| earlier != name);
        operations.push((name.clone(), operation.clone()));
    }
    let mut headers = ResponseHeaders { preset, ..ResponseHeaders::default() };
    for (name, operation) in operations {
        match operation {
            HeaderOperation::Set(value) => headers.set.push((name, value)),
            HeaderOperation::Default(value) => headers.default.push((name, value)),
            HeaderOperation::Remove => headers.remove.push(name),
        }
    }
    headers
}

impl Default for Policy {
    /// What a route gets where no level says anything.
    fn default() -> Self {
        merge(&[])
    }
}

impl ResponseHeaders {
    /// A preset alone.
    #[must_use]
    pub fn of_preset(preset: HeaderPreset) -> Self {
        let headers = HeaderLevel { preset: Some(preset), operations: Vec::new() };
        merge_headers(&[&Level { headers: Some(headers), ..Level::default() }])
    }
}

impl DenyPaths {
    /// What is refused where nothing is said: dotfiles, and `.env`, `.log`, `.sql` and `.bak`.
    #[must_use]
    pub fn standard() -> Self {
        Self { dotfiles: true, suffixes: DENIED_SUFFIXES.map(str::to_owned).to_vec() }
    }

    /// Nothing is refused: `deny_paths = false`.
    #[must_use]
    pub fn none() -> Self {
        Self { dotfiles: false, suffixes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use HeaderOperation::{Default as Otherwise, Remove, Set};

    fn level(
        preset: Option<HeaderPreset>,
        operations: &[(&'static str, HeaderOperation)],
    ) -> Level {
        let operations = operations
            .iter()
            .map(|(name, operation)| (HeaderName::from_static(name), operation.clone()))
            .collect();
        Level { headers: Some(HeaderLevel { preset, operations }), ..Level::default() }
    }

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    fn names(headers: &ResponseHeaders) -> Vec<&str> {
        let set = headers.set.iter().map(|(name, _)| name.as_str());
        let default = headers.default.iter().map(|(name, _)| name.as_str());
        let remove = headers.remove.iter().map(HeaderName::as_str);
        set.chain(default).chain(remove).collect()
    }

    #[test]
    fn no_preset_names_a_header_twice() {
        use HeaderPreset::{Api, App, Grafana, Off, Standard};
        for preset in [Standard, App, Api, Grafana, Off] {
            let headers = ResponseHeaders::of_preset(preset);
            let mut unique = names(&headers);
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), names(&headers).len(), "{preset:?}");
        }
    }

    #[test]
    fn the_nearest_preset_is_the_ground_and_farther_words_still_count() {
        let server = level(Some(HeaderPreset::Api), &[("x-frame-options", Set(value("DENY")))]);
        let site = level(Some(HeaderPreset::App), &[]);
        let headers = merge(&[&server, &site]).headers;
        assert_eq!(headers.preset, HeaderPreset::App);
        assert!(names(&headers).contains(&"permissions-policy"));
        assert!(headers.set.contains(&(http::header::X_FRAME_OPTIONS, value("DENY"))));
    }

    #[test]
    fn the_nearest_word_about_a_header_wins() {
        let server =
            level(None, &[("x-a", Set(value("server"))), ("x-b", Remove), ("x-c", Remove)]);
        let site = level(None, &[("x-a", Remove), ("x-b", Set(value("site")))]);
        let route = level(None, &[("x-c", Otherwise(value("route")))]);
        let off = level(Some(HeaderPreset::Off), &[]);
        let headers = merge(&[&off, &server, &site, &route]).headers;
        assert_eq!(headers.set, [(HeaderName::from_static("x-b"), value("site"))]);
        assert_eq!(headers.default, [(HeaderName::from_static("x-c"), value("route"))]);
        assert_eq!(headers.remove, [HeaderName::from_static("x-a")]);
    }

    #[test]
    fn deny_paths_adds_and_false_resets() {
        let of = |deny| Level { deny_paths: Some(deny), ..Level::default() };
        let add = of(DenyLevel::Add(vec![".old".into(), ".bak".into()]));
        let (off, on) = (of(DenyLevel::Off), of(DenyLevel::On));
        let suffixes = |levels: &[&Level]| merge(levels).deny_paths.suffixes;
        assert_eq!(suffixes(&[&add]), [".env", ".log", ".sql", ".bak", ".old"]);
        assert_eq!(merge(&[&add, &off]).deny_paths, DenyPaths::none());
        assert_eq!(suffixes(&[&off, &add]), [".old", ".bak"]);
        assert_eq!(merge(&[&off, &on]).deny_paths, DenyPaths::standard());
    }

    #[test]
    fn the_nearest_level_decides_what_does_not_add_up() {
        let of = |body, log| Level { body, log, ..Level::default() };
        let policy = merge(&[&of(Some(1), Some(false)), &of(Some(2), None), &of(None, None)]);
        assert_eq!((policy.body, policy.log), (2, false));
        assert_eq!((Policy::default().body, Policy::default().log), (10 << 20, true));
    }

    #[test]
    fn every_level_that_names_networks_is_asked() {
        let access = |deny: &str| Level {
            access: Some(Access { allow: Vec::new(), deny: vec![deny.parse().expect("a block")] }),
            ..Level::default()
        };
        let levels = [access("10.0.0.0/8"), Level::default(), access("192.0.2.0/24")];
        assert_eq!(merge(&levels.each_ref()).access.len(), 2);
    }
}
