//! `[upstream.NAME]`, and the bare addresses that routes give.

mod health;
mod servers;
mod settings;
mod tls;

use std::cell::RefCell;
use std::sync::Arc;

use toml::de::DeTable;

use super::names::Names;
use super::node::{NamedNode, Node};
use super::table::Table;
use crate::complaint::{Complaint, Report};
use crate::model::{Protocol, Upstream, UpstreamServer};
use crate::problem::Code;
use crate::spec::UPSTREAM;
use crate::text::{Server, looks_like_server, parse_name, parse_server};
use settings::Settings;
use tls::ReadTls;

/// Every upstream, named and bare.
pub(super) struct Upstreams<'a> {
    report: &'a Report<'a>,
    named: Names<Upstream>,
    /// Identical addresses share one upstream, and so its connections.
    bare: RefCell<Vec<Arc<Upstream>>>,
}

pub(super) fn read<'a>(node: Option<Node<'a>>, report: &'a Report<'a>) -> Upstreams<'a> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    Upstreams {
        report,
        named: Names::read("upstream", entries, |name, entry| read_upstream(name, entry)),
        bare: RefCell::default(),
    }
}

fn read_upstream(name: &str, entry: &NamedNode<'_>) -> Option<Upstream> {
    let table = entry.node.table()?.labelled(format!("upstream `{name}`"));
    let servers = table.given("servers").and_then(|node| servers::read(&node));
    let settings = Settings::read(&table);
    let tls = tls::read(&table);
    let report = table.report;

    let protocol = servers.as_ref().and_then(|servers| {
        servers::report_only_backups(name, servers, report);
        servers::common_protocol(name, servers, report)
    });
    if servers.as_ref().is_some_and(|servers| !servers::any_https(servers)) {
        tls::report_misplaced(&table);
    }
    table.finish();
    let servers = servers?.into_iter().map(|read| read.server).collect();
    Some(upstream(name, servers, protocol?, settings?, tls?))
}

fn upstream(
    name: &str,
    servers: Vec<UpstreamServer>,
    protocol: Protocol,
    settings: Settings,
    tls: ReadTls,
) -> Upstream {
    Upstream {
        name: name.to_owned(),
        servers,
        protocol,
        connect: settings.connect,
        first_byte: settings.first_byte,
        proxy_protocol: settings.proxy_protocol,
        balance: settings.balance,
        retries: settings.retries,
        fail: settings.fail,
        health: settings.health,
        slow_start: settings.slow_start,
        max_requests: settings.max_requests,
        queue: settings.queue,
        ca: tls.ca,
        sni: tls.sni,
        client_cert: tls.client_cert,
    }
}

impl Upstreams<'_> {
    /// What a route's `to` means: a bare address, or the name of an upstream. `None` where that
    /// upstream's definition is broken.
    pub(super) fn resolve(&self, text: &str) -> Result<Option<Arc<Upstream>>, Complaint> {
        if looks_like_server(text) {
            return parse_server(text).map(|server| self.bare(text, server));
        }
        self.named.find(text, Code::UnknownUpstream).map_err(|complaint| {
            if parse_name(text).is_err() {
                // No upstream can have such a name: an address was meant.
                return parse_server(text).err().unwrap_or(complaint);
            }
            complaint.or_help(|help| {
                if help.starts_with("define") {
                    format!("write the port if this is a server: \"{text}:8000\"; or {help}")
                } else {
                    help
                }
            })
        })
    }

    fn bare(&self, text: &str, server: Server) -> Option<Arc<Upstream>> {
        let Server { endpoint, protocol } = server;
        let server = UpstreamServer::at(endpoint);
        let same = |upstream: &&Arc<Upstream>| {
            upstream.protocol == protocol && upstream.servers == std::slice::from_ref(&server)
        };
        let mut bare = self.bare.borrow_mut();
        if let Some(known) = bare.iter().find(same) {
            return Some(Arc::clone(known));
        }
        let nothing = DeTable::new();
        let settings = Settings::read(&Table::new(self.report, &UPSTREAM, &nothing, None))?;
        let made = upstream(text, vec![server], protocol, settings, ReadTls::default());
        let made = Arc::new(made);
        bare.push(Arc::clone(&made));
        Some(made)
    }

    pub(super) fn report_unused(&self, report: &Report<'_>) {
        self.named.report_unused(report, Code::UnusedUpstream);
    }

    /// Every upstream that a route uses: the named ones first.
    pub(super) fn used(&self) -> Vec<Arc<Upstream>> {
        let bare = self.bare.borrow();
        self.named.used().chain(bare.iter()).cloned().collect()
    }
}
