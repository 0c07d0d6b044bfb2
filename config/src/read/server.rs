//! `[server]`.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::node::{Node, Shape};
use super::table::Table;
use super::{Context, policies};
use crate::check::Listeners;
use crate::level::Level;
use crate::model::{
    AccessLog, Connections, ListenAddr, ProxySource, Server, Timeouts, TrustedProxies, UnknownHost,
};
use crate::source::Span;
use crate::spec::Format;
use crate::text::{
    parse_admin, parse_dns, parse_duration, parse_duration_or_zero, parse_listen,
    parse_proxy_source,
};

/// `[server]`, and what further checks need of it.
pub(super) struct ReadServer {
    pub(super) server: Server,
    pub(super) listeners: Listeners,
    pub(super) level: Level,
}

pub(super) fn read(node: &Node<'_>, context: &Context<'_>) -> Option<ReadServer> {
    let table = node.table()?;
    let listeners = read_listeners(&table);
    let trusted_proxies = table.read("trusted_proxies", read_proxies);
    let unknown_host = table.read("unknown_host", read_unknown_host);
    let storage = table.read("storage", |node| node.path(Format::Folder));
    let workers = table.read("workers", read_count);
    let connections = read_connections(&table);
    let timeouts = read_timeouts(&table);
    let drain =
        table.read("drain", |node| node.parse(Format::DurationOrZero, parse_duration_or_zero));
    let access_log = table.read("access_log", read_access_log);
    let dns = table.read("dns", |node| node.each(|item| item.parse(Format::Dns, parse_dns)));
    let level = policies::read(&table, context);
    table.finish();

    let listeners = listeners?;
    let addresses =
        |list: &[(ListenAddr, Option<Span>)]| list.iter().map(|(addr, _)| *addr).collect();
    let server = Server {
        http: addresses(&listeners.http),
        https: addresses(&listeners.https),
        admin: listeners.admin.as_ref().map(|(addr, _)| *addr),
        trusted_proxies: TrustedProxies { sources: trusted_proxies? },
        unknown_host: unknown_host?,
        storage: storage?,
        workers,
        connections: connections?,
        timeouts: timeouts?,
        drain: drain?,
        access_log: access_log?,
        dns: dns?,
    };
    Some(ReadServer { server, listeners, level })
}

fn read_listeners(table: &Table<'_>) -> Option<Listeners> {
    let list = |key| {
        table.read(key, |node| {
            node.each(|item| Some((item.parse(Format::Listen, parse_listen)?, item.span())))
        })
    };
    let admin = table.read("admin", |node| {
        let admin = node.parse(Format::Admin, parse_admin)?;
        Some(admin.map(|admin| (admin, node.span())))
    });
    let (http, https) = (list("http"), list("https"));
    Some(Listeners { http: http?, https: https?, admin: admin? })
}

fn read_proxies(node: Node<'_>) -> Option<Vec<ProxySource>> {
    node.each(|item| {
        let (source, warning) = item.parse(Format::ProxySource, parse_proxy_source)?;
        if let Some(warning) = warning {
            item.complain(warning);
        }
        Some(source)
    })
}

fn read_unknown_host(node: Node<'_>) -> Option<UnknownHost> {
    match node.shape()? {
        Shape::Text("close") => Some(UnknownHost::Close),
        Shape::Number(421) => Some(UnknownHost::Misdirected),
        Shape::Number(404) => Some(UnknownHost::NotFound),
        _ => None,
    }
}

fn read_access_log(node: Node<'_>) -> Option<AccessLog> {
    match node.text()? {
        "json" => Some(AccessLog::Json),
        "combined" => Some(AccessLog::Combined),
        "off" => Some(AccessLog::Off),
        _ => None,
    }
}

fn read_count(node: Node<'_>) -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(node.count()?).ok()?)
}

fn read_connections(table: &Table<'_>) -> Option<Connections> {
    let total = table.read("max_connections", read_count);
    let per_client = table.read("max_connections_per_client", read_count);
    Some(Connections { total: total?, per_client: per_client? })
}

fn read_timeouts(table: &Table<'_>) -> Option<Timeouts> {
    let duration = |key| -> Option<Duration> {
        table.read(key, |node| node.parse(Format::Duration, parse_duration))
    };
    let (handshake, header, keepalive) =
        (duration("handshake"), duration("header"), duration("keepalive"));
    Some(Timeouts { handshake: handshake?, header: header?, keepalive: keepalive? })
}
