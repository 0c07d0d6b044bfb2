//! From TOML to the domain: every table is read to its end and every problem reported, so that a
//! file's author sees all of them at once.

mod body;
mod expect;
mod load;
mod request;
mod table;
mod tls;
mod value;

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

use super::problem::{Complaint, Report};
use super::target::{Host, Target};
use super::text::{Rate, read_duration};
use super::{Protocol, Scenario};
use table::Table;
use value::Value;

/// What the command line says in place of the scenario.
#[derive(Debug, Default)]
pub struct Overrides {
    /// For `name`.
    pub name: Option<String>,
    /// For `duration`.
    pub duration: Option<Duration>,
    /// For `rate`.
    pub rate: Option<Rate>,
    /// For `connections`.
    pub connections: Option<u32>,
}

/// More sockets than a process may open.
const MOST_CONNECTIONS: u32 = 1_000_000;

/// What the tables are read against.
struct Context<'a> {
    overrides: &'a Overrides,
    /// Relative files are looked for here.
    folder: &'a Path,
    protocol: Protocol,
    target: Target,
}

/// The scenario. What it says is right only where nothing was reported.
pub(super) fn read<'a>(
    report: &'a Report<'a>,
    entries: &'a DeTable<'a>,
    path: &'a Path,
    overrides: &'a Overrides,
) -> Option<Scenario> {
    let root = Table::new(report, entries, None, "the scenario");
    let file = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = root.read("name", file.unwrap_or_default(), |value| value.text().map(str::to_owned));
    let target =
        root.require("target", "say where to connect: target = \"https://127.0.0.1:8443\"");
    let target = target.and_then(|value| Some((value.parse(Target::read)?, value)));
    let hosts = root.read("hosts", Vec::new(), |value| value.each(read_host));
    if let Some((target, value)) = &target {
        check_aim(target, &hosts, value);
    }
    // Where it is missing or wrong, the rest is read all the same, for its own mistakes.
    let target = target.map_or_else(any_target, |(target, _)| target);
    let folder = path.parent().unwrap_or(Path::new(""));
    let context = Context { overrides, folder, protocol: read_protocol(&root), target };
    let connections = root.read("connections", 1, |value| value.count(1..=MOST_CONNECTIONS));
    let (load, duration) = load::read(&root, &context);
    let tls = tls::read(&root, &context);
    let scenario = Scenario {
        name: overrides.name.clone().unwrap_or(name),
        hosts,
        protocol: context.protocol,
        load,
        connections: overrides.connections.unwrap_or(connections),
        warmup: root.read("warmup", Duration::ZERO, |value| value.parse(read_duration)),
        duration,
        timeout: root.read("timeout", Duration::from_secs(10), |value| read_time(value)),
        seed: root.read("seed", 1, |value| value.number(0..=i64::MAX as u64)),
        requests_per_connection: root.read(
            "requests_per_connection",
            None,
            read_requests_per_connection,
        ),
        sources: root.read("sources", Vec::new(), |value| value.each(read_source)),
        requests: request::read(&root, &context, tls.as_ref()),
        tls,
        target: context.target,
    };
    check_together(&root, &scenario);
    root.finish();
    Some(scenario)
}

/// Stands in for a target that was reported.
fn any_target() -> Target {
    Target { tls: true, host: Host::Name("localhost".into()), port: 443 }
}

/// A duration longer than zero.
fn read_time(value: &Value<'_>) -> Option<Duration> {
    let duration = value.parse(read_duration)?;
    if duration.is_zero() {
        value.complain(
            format!("`{}` cannot be zero", value.key),
            "write how long, for instance \"10s\"",
        );
    }
    Some(duration)
}

fn read_host(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let target = Target::read(&format!("https://{text}")).ok().filter(|target| target.port == 443);
    if target.is_none() || text.contains('/') {
        value.complain(
            format!("\"{text}\" is not a host"),
            "write a name or an address alone: \"uat.example.com\", \"[2001:db8::1]\"",
        );
    }
    target.map(|target| target.host.to_string())
}

/// What can be said about the target without asking anybody for its addresses.
fn check_aim(target: &Target, hosts: &[String], value: &Value<'_>) {
    let Host::Address(address) = &target.host else { return };
    if !address.to_canonical().is_loopback() && !hosts.contains(&target.host.to_string()) {
        value.complain(
            format!("{} is not loopback, and `hosts` does not name it", target.host),
            format!("if you may put load on it: hosts = [\"{}\"]", target.host),
        );
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Http1,
    Http2,
    WebSocket,
}

fn read_protocol(root: &Table<'_>) -> Protocol {
    let words = [("h1", Word::Http1), ("h2", Word::Http2), ("ws", Word::WebSocket)];
    // Behind a word that is none, no key is refused for not going with it.
    let unknown = Word::Http2;
    let word = root.get("protocol").map(|value| value.choice(&words).unwrap_or(unknown));
    let word = word.unwrap_or(Word::Http1);
    let streams = root.read("streams", 1, |value| value.count(1..=1_000));
    match word {
        Word::Http1 => Protocol::Http1,
        Word::Http2 => Protocol::Http2 { streams },
        Word::WebSocket => Protocol::WebSocket,
    }
}

fn read_requests_per_connection(value: &Value<'_>) -> Option<Option<NonZeroU64>> {
    if value.is_number() {
        return value.number(1..=i64::MAX as u64).map(NonZeroU64::new);
    }
    value.choice(&[("unlimited", None)])
}

fn read_source(value: &Value<'_>) -> Option<IpAddr> {
    value.parse(|text| {
        text.parse().map_err(|_| {
            Complaint::new(
                format!("\"{text}\" is not an address"),
                "write addresses of this machine, without ports: [\"127.0.0.2\", \"127.0.0.3\"]",
            )
        })
    })
}

/// Keys that have no meaning beside others.
fn check_together(root: &Table<'_>, scenario: &Scenario) {
    if !matches!(scenario.protocol, Protocol::Http2 { .. }) {
        root.refuse(
            "streams",
            "`streams` is for HTTP/2 only: the others have one request at a time on a connection",
            "write protocol = \"h2\", or more `connections`",
        );
    }
    let holds =
        scenario.protocol == Protocol::WebSocket || matches!(scenario.load, super::Load::Idle);
    if holds && scenario.requests_per_connection.is_some() {
        root.refuse(
            "requests_per_connection",
            "WebSockets and idle connections are held, not replaced",
            "remove `requests_per_connection`",
        );
    }
}
