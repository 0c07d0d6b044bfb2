//! What is decided for a route besides where its requests go.

use std::net::IpAddr;
use std::time::Duration;

use gateway_config::model::{
    Access, DenyPaths, ErrorFormat, ErrorPage, Errors, HeaderPreset, Limit, LimitKey, Maintenance,
    Measure, Policy, Rate, ResponseHeaders, StatusPattern,
};
use gateway_config::{format_duration, format_size};
use ipnet::IpNet;
use serde::Serialize;

use super::answer::HeaderFact;
use super::answers::{CacheControlFacts, CompressFacts, CorsFacts};
use super::guard::{AuthFacts, WebhookFacts};
use crate::exchange::{BODY_IDLE, STREAM_IDLE};
use crate::head::RequestHead;
use crate::path::Path;
use crate::policy::limit::Limiter;
use crate::policy::{access, deny_paths, maintenance};

/// A route's policy, and what it says about this request.
#[derive(Debug, Serialize)]
pub(crate) struct PolicyFacts {
    /// None where nothing is being worked on.
    pub(crate) maintenance: Option<Decision>,
    pub(crate) access: Decision,
    pub(crate) deny_paths: Decision,
    pub(crate) limits: Vec<LimitFacts>,
    pub(crate) auth: Option<AuthFacts>,
    pub(crate) webhook: Option<WebhookFacts>,
    /// None where answers are sent as fast as it goes.
    pub(crate) bandwidth: Option<BandwidthFacts>,
    /// The largest request body.
    pub(crate) body: String,
    /// How long a body may pause.
    pub(crate) body_idle: String,
    /// How long an event stream or a WebSocket may pause.
    pub(crate) stream_idle: String,
    /// Whether requests are written to the access log.
    pub(crate) log: bool,
    /// Whether upstreams are told in `Forwarded` too.
    pub(crate) forwarded: bool,
    pub(crate) cache_control: Vec<CacheControlFacts>,
    pub(crate) compress: Option<CompressFacts>,
    pub(crate) cors: Option<CorsFacts>,
    pub(crate) response_headers: ResponseHeaderFacts,
    pub(crate) errors: ErrorFacts,
}

/// What clients are told when a request fails.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorFacts {
    /// `auto` or `json`.
    pub(crate) format: &'static str,
    pub(crate) pages: Vec<ErrorPageFacts>,
    /// Whether the pages replace the upstream's own errors too.
    pub(crate) intercept: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorPageFacts {
    /// The status, or its class: `5xx`.
    pub(crate) status: String,
    pub(crate) file: String,
}

/// What of a request policies decide by.
pub(super) struct Asked<'q> {
    pub(super) head: &'q RequestHead,
    pub(super) client: IpAddr,
    pub(super) path: &'q Path<'q>,
}

/// How fast an answer is sent.
#[derive(Debug, Serialize)]
pub(crate) struct BandwidthFacts {
    pub(crate) rate: String,
    pub(crate) burst: String,
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
    /// `10/s`; none where requests at one time are limited.
    pub(crate) rate: Option<String>,
    pub(crate) burst: Option<u32>,
    /// How many requests may be served at one time; none where it is a rate.
    pub(crate) concurrent: Option<u32>,
    /// `client_ip`, `header NAME` or `cookie NAME`.
    pub(crate) key: String,
    pub(crate) counted_with: String,
    /// What is over it is served all the same.
    pub(crate) dry_run: bool,
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
    pub(super) fn of(policy: &Policy, asked: &Asked<'_>) -> Self {
        let (client, path) = (asked.client, &*asked.path.normal);
        let idle = |usual: Duration| format_duration(policy.idle.unwrap_or(usual));
        Self {
            maintenance: policy.maintenance.as_ref().map(|work| under_work(work, client)),
            access: by_address(&policy.access, client),
            deny_paths: by_path(&policy.deny_paths, path),
            limits: policy.limits.iter().map(|limit| LimitFacts::of(limit, asked)).collect(),
            auth: policy.auth.as_deref().map(AuthFacts::of),
            webhook: policy.webhook.as_deref().map(WebhookFacts::of),
            bandwidth: policy.bandwidth.map(|pace| BandwidthFacts {
                rate: format!("{}/s", format_size(pace.rate.get())),
                burst: format_size(pace.burst.get()),
            }),
            body: format_size(policy.body),
            body_idle: idle(BODY_IDLE),
            stream_idle: idle(STREAM_IDLE),
            log: policy.log,
            forwarded: policy.forwarded,
            cache_control: CacheControlFacts::of(policy, path),
            compress: policy.compress.as_ref().map(|it| CompressFacts::of(it, asked.head)),
            cors: policy.cors.as_ref().map(|cors| CorsFacts::of(cors, asked.head)),
            response_headers: ResponseHeaderFacts::of(
                &policy.headers,
                policy.limits.iter().any(|l| is_told(l)),
            ),
            errors: ErrorFacts::of(&policy.errors),
        }
    }
}

fn under_work(work: &Maintenance, client: IpAddr) -> Decision {
    let allowed = maintenance::check(Some(work), client).is_ok();
    let why = if allowed {
        format!("{client} is in `allow` of `maintenance`")
    } else {
        format!("under maintenance; come back after {}", format_duration(work.retry_after))
    };
    Decision { allowed, why }
}

impl ErrorFacts {
    fn of(errors: &Errors) -> Self {
        let page = |(status, page): &(StatusPattern, ErrorPage)| ErrorPageFacts {
            status: status.to_string(),
            file: page.path.display().to_string(),
        };
        Self {
            format: match errors.format {
                ErrorFormat::Auto => "auto",
                ErrorFormat::Json => "json",
            },
            pages: errors.pages.iter().map(page).collect(),
            intercept: errors.intercept,
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
    fn of(limit: &Limit, asked: &Asked<'_>) -> Self {
        let (rate, burst, concurrent) = match limit.measure {
            Measure::Rate { rate, burst } => (Some(written_rate(rate)), Some(burst.get()), None),
            Measure::Concurrent(most) => (None, None, Some(most.get())),
        };
        Self {
            name: limit.name.clone(),
            rate,
            burst,
            concurrent,
            key: match &limit.key {
                LimitKey::ClientIp => "client_ip".into(),
                LimitKey::Header(name) => format!("header {name}"),
                LimitKey::Cookie(name) => format!("cookie {name}"),
            },
            counted_with: counted_with(limit, asked),
            dry_run: limit.dry_run,
        }
    }
}

/// Whether clients are told how much is left.
fn is_told(limit: &Limit) -> bool {
    matches!(limit.measure, Measure::Rate { .. }) && !limit.dry_run
}

fn written_rate(rate: Rate) -> String {
    let unit = match rate.per.as_secs() {
        1 => "s",
        60 => "m",
        3600 => "h",
        _ => "d",
    };
    format!("{}/{unit}", rate.count)
}

/// Never a value: it may be a secret.
fn counted_with(limit: &Limit, asked: &Asked<'_>) -> String {
    let key = Limiter::new(limit).key_of(asked.head, asked.client, &asked.path.normal);
    let Some(key) = key else { return "nobody: it does not count".into() };
    let of = match &limit.key {
        LimitKey::Header(name) if key.is_of_a_value() => format!(" of {name}"),
        LimitKey::Cookie(name) if key.is_of_a_value() => format!(" of the cookie {name}"),
        _ => String::new(),
    };
    format!("{key}{of}")
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
