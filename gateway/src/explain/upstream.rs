//! Where requests go, and how an upstream's servers share them.

use gateway_config::format_duration;
use gateway_config::model::{Balance, Fail, HashKey, Health, HealthCheck, Protocol, Upstream};
use serde::Serialize;

/// An upstream.
#[derive(Debug, Serialize)]
pub(crate) struct UpstreamFacts {
    pub(crate) name: String,
    pub(crate) protocol: &'static str,
    pub(crate) servers: Vec<String>,
    /// Which server a request goes to.
    pub(crate) balance: String,
    /// When a server is left out that requests fail on.
    pub(crate) fail: String,
    /// How servers are asked how they are.
    pub(crate) health: Option<String>,
    /// How often a request may be tried once more.
    pub(crate) retries: u32,
    pub(crate) slow_start: Option<String>,
    /// How many requests a server may have at once, and what becomes of others.
    pub(crate) max_requests: Option<String>,
    /// How long connecting may take.
    pub(crate) connect: String,
    /// How long the answer's first byte may take.
    pub(crate) first_byte: String,
    /// The roots that its certificate is verified with, where they are not the system's.
    pub(crate) ca: Option<String>,
    /// The name that its certificate is verified for, where that is not the server's.
    pub(crate) sni: Option<String>,
    /// The certificate that is shown to it.
    pub(crate) client_cert: Option<String>,
}

impl UpstreamFacts {
    pub(super) fn of(upstream: &Upstream) -> Self {
        Self {
            name: upstream.name.clone(),
            protocol: match upstream.protocol {
                Protocol::Http => "http",
                Protocol::Https => "https",
                Protocol::H2c => "h2c",
            },
            servers: upstream.servers.iter().map(ToString::to_string).collect(),
            balance: balance(&upstream.balance),
            fail: fail(upstream.fail),
            health: upstream.health.as_ref().map(health),
            retries: upstream.retries,
            slow_start: upstream.slow_start.map(format_duration),
            max_requests: most(upstream),
            connect: format_duration(upstream.connect),
            first_byte: format_duration(upstream.first_byte),
            ca: upstream.ca.as_ref().map(|path| path.display().to_string()),
            sni: upstream.sni.as_ref().map(ToString::to_string),
            client_cert: upstream.client_cert.as_ref().map(|it| it.cert.display().to_string()),
        }
    }
}

fn balance(balance: &Balance) -> String {
    match balance {
        Balance::RoundRobin => "round_robin".into(),
        Balance::LeastConnections => "least_connections".into(),
        Balance::Hash(HashKey::ClientIp) => "by a hash of the client's address".into(),
        Balance::Hash(HashKey::Path) => "by a hash of the path".into(),
        Balance::Hash(HashKey::Header(name)) => format!("by a hash of the header {name}"),
        Balance::Hash(HashKey::Cookie(name)) => format!("by a hash of the cookie {name}"),
        Balance::Sticky(name) => format!("by the cookie {name}, which the gateway sets"),
    }
}

fn fail(fail: Option<Fail>) -> String {
    match fail {
        Some(Fail { max, within }) => {
            let within = format_duration(within);
            format!("{max} failures in a row within {within} leave a server out for {within}")
        }
        None => "failures leave no server out".into(),
    }
}

fn health(health: &Health) -> String {
    let asked = match &health.check {
        HealthCheck::Tcp => "a connection".to_owned(),
        HealthCheck::Http { path, .. } => format!("GET {path}"),
    };
    let Health { every, unhealthy_after, healthy_after, .. } = health;
    let every = format_duration(*every);
    format!("{asked} every {every}; out after {unhealthy_after} failed, back after {healthy_after}")
}

fn most(upstream: &Upstream) -> Option<String> {
    let most = upstream.max_requests?;
    Some(match upstream.queue {
        Some(queue) => {
            let wait = format_duration(queue.wait);
            format!("{most} for each server; {} more wait {wait} at most", queue.max)
        }
        None => format!("{most} for each server; others get 503"),
    })
}
