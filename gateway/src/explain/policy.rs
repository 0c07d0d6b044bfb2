//! What is decided for a route besides where its requests go.

use std::net::IpAddr;
use std::time::Duration;

use gateway_config::model::{
    Access, DenyPaths, HeaderPreset, Limit, LimitKey, Policy, ResponseHeaders,
};
use gateway_config::{format_duration, format_size};
use ipnet::IpNet;
use serde::Serialize;

use super::answer::HeaderFact;
use super::guard::{AuthFacts, WebhookFacts};
use crate::exchange::{BODY_IDLE, STREAM_IDLE};
use crate::policy::limit::ClientKey;
use crate::policy::{access, deny_paths};

/// A route's policy, and what it says about this request.
#[derive(Debug, Serialize)]
pub(crate) struct PolicyFacts {
    pub(crate) access: Decision,
    pub(crate) deny_paths: Decision,
    pub(crate) limits: Vec<LimitFacts>,
    pub(crate) auth: Option<AuthFacts>,
    pub(crate) webhook: Option<WebhookFacts>,
    /// The largest request body.
    pub(crate) body: String,
    /// How long a body may pause.
    pub(crate) body_idle: String,
    /// How long an event stream or a WebSocket may pause.
    pub(crate) stream_idle: String,
    /// Whether requests are written to the access log.
    pub(crate) log: bool,
    pub(crate) response_headers: ResponseHeaderFacts,
}

/// What a policy that can say no says.
#[derive(Debug, Serialize)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    pub(crate) why: String,
}

/// One limit, and what it counts this request with.
#[derive(Debug, Serialize)]
pub(crate) struct LimitFacts {
    pub(crate) name: String,
    pub(crate) rate: String,
    pub(crate) burst: u32,
    pub(crate) key: &'static str,
    pub(crate) counted_with: String,
}

/// What is done to the headers of every answer.
#[derive(Debug, Serialize)]
pub(crate) struct ResponseHeaderFacts {
    pub(crate) preset: &'static str,
    pub(crate) set: Vec<HeaderFact>,
    pub(crate) default: Vec<HeaderFact>,
    pub(crate) remove: Vec<String>,
    /// What the gateway adds by itself.
    pub(crate) added: Vec<&'static str>,
}

impl PolicyFacts {
    pub(super) fn of(policy: &Policy, client: IpAddr, path: &str) -> Self {
        let idle = |usual: Duration| format_duration(policy.idle.unwrap_or(usual));
        Self {
            access: by_address(&policy.access, client),
            deny_paths: by_path(&policy.deny_paths, path),
            limits: policy.limits.iter().map(|limit| LimitFacts::of(limit, client)).collect(),
            auth: policy.auth.as_deref().map(AuthFacts::of),
            webhook: policy.webhook.as_deref().map(WebhookFacts::of),
            body: format_size(policy.body),
            body_idle: idle(BODY_IDLE),
            stream_idle: idle(STREAM_IDLE),
            log: policy.log,
            response_headers: ResponseHeaderFacts::of(&policy.headers, !policy.limits.is_empty()),
        }
    }
}

fn by_address(levels: &[Access], client: IpAddr) -> Decision {
    let allowed = access::check(levels, client).is_ok();
    let refusing = levels.iter().find(|level| access::check(&[(*level).clone()], client).is_err());
    let holds = |nets: &[IpNet]| nets.iter().find(|net| net.contains(&client)).map(written);
    let why = match refusing {
        Some(level) => match holds(&level.deny) {
            Some(net) => format!("{client} is in `deny` by {net}"),
            None => format!("{client} is not in `allow`: {}", list(&level.allow)),
        },
        None => match levels.iter().find_map(|level| holds(&level.allow)) {
            Some(net) => format!("{client} is in `allow` by {net}"),
            None if levels.is_empty() => "no level says `allow` or `deny`".into(),
            None => format!("{client} is not in `deny`"),
        },
    };
    Decision { allowed, why }
}

fn list(nets: &[IpNet]) -> String {
    nets.iter().map(written).collect::<Vec<_>>().join(", ")
}

/// A network of one address as that address.
fn written(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

fn by_path(rules: &DenyPaths, path: &str) -> Decision {
    let allowed = deny_paths::check(rules, path).is_ok();
    let dotfiles = DenyPaths { dotfiles: rules.dotfiles, suffixes: Vec::new() };
    let denied_by = |suffix: &&String| {
        let alone = DenyPaths { dotfiles: false, suffixes: vec![(*suffix).clone()] };
        deny_paths::check(&alone, path).is_err()
    };
    let why = if deny_paths::check(&dotfiles, path).is_err() {
        "a segment of the path begins with a dot".into()
    } else if let Some(suffix) = rules.suffixes.iter().find(denied_by) {
        format!("the path ends in {suffix}")
    } else {
        not_denied(rules)
    };
    Decision { allowed, why }
}

fn not_denied(rules: &DenyPaths) -> String {
    let dotfiles = rules.dotfiles.then_some("dotfiles");
    let denied: Vec<&str> =
        dotfiles.into_iter().chain(rules.suffixes.iter().map(String::as_str)).collect();
    match denied.as_slice() {
        [] => "nothing is denied".into(),
        denied => format!("not one of {}", denied.join(", ")),
    }
}

impl LimitFacts {
    fn of(limit: &Limit, client: IpAddr) -> Self {
        let LimitKey::ClientIp = limit.key;
        let unit = match limit.rate.per.as_secs() {
            1 => "s",
            60 => "m",
            3600 => "h",
            _ => "d",
        };
        Self {
            name: limit.name.clone(),
            rate: format!("{}/{unit}", limit.rate.count),
            burst: limit.burst.get(),
            key: "client_ip",
            counted_with: ClientKey::of(client).to_string(),
        }
    }
}

impl ResponseHeaderFacts {
    fn of(headers: &ResponseHeaders, limited: bool) -> Self {
        let facts = |list: &[(http::HeaderName, http::HeaderValue)]| {
            list.iter()
                .map(|(name, value)| HeaderFact::new(name.as_str().as_bytes(), value.as_bytes()))
                .collect()
        };
        let limits = ["ratelimit", "ratelimit-policy"].into_iter().filter(|_| limited);
        Self {
            preset: match headers.preset {
                HeaderPreset::Standard => "standard",
                HeaderPreset::App => "app",
                HeaderPreset::Api => "api",
                HeaderPreset::Grafana => "grafana",
                HeaderPreset::Off => "off",
            },
            set: facts(&headers.set),
            default: facts(&headers.default),
            remove: headers.remove.iter().map(ToString::to_string).collect(),
            added: std::iter::once("x-request-id").chain(limits).collect(),
        }
    }
}
