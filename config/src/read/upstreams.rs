//! `[upstream.NAME]`, and the bare addresses that routes give.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use toml::de::DeTable;

use super::names::Names;
use super::node::{NamedNode, Node};
use super::table::Table;
use crate::complaint::{Complaint, Report};
use crate::model::{Endpoint, Protocol, Upstream};
use crate::problem::Code;
use crate::source::Span;
use crate::spec::{Format, UPSTREAM};
use crate::text::{Server, looks_like_server, parse_duration, parse_name, parse_server};

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
    let servers = table.given("servers").and_then(|node| {
        node.each(|item| Some((item.parse(Format::Server, parse_server)?, item.span())))
    });
    let times = read_times(&table);
    let ca = table.given("ca");
    let ca_span = table.key_span("ca");
    let ca_file = ca.and_then(|node| node.path(Format::File));
    table.finish();

    let servers = servers?;
    let protocol = common_protocol(name, &servers, table_report(entry))?;
    if ca_span.is_some() && protocol != Protocol::Https {
        let message = format!("upstream `{name}` has a `ca` and no `https://` server");
        let complaint = Complaint::new(Code::MisplacedKey, message)
            .help("remove `ca`, or write the servers as \"https://…\"");
        table_report(entry).add(ca_span.as_ref(), complaint);
    }
    let (connect, first_byte) = times?;
    Some(Upstream {
        name: name.to_owned(),
        servers: servers.into_iter().map(|(server, _)| server.endpoint).collect(),
        protocol,
        connect,
        first_byte,
        ca: ca_file,
    })
}

fn table_report<'a>(entry: &NamedNode<'a>) -> &'a Report<'a> {
    entry.node.report
}

fn read_times(table: &Table<'_>) -> Option<(Duration, Duration)> {
    let duration = |key| table.read(key, |node| node.parse(Format::Duration, parse_duration));
    duration("connect").zip(duration("first_byte"))
}

fn common_protocol(
    name: &str,
    servers: &[(Server, Option<Span>)],
    report: &Report<'_>,
) -> Option<Protocol> {
    let ((first, first_span), rest) = servers.split_first()?;
    for (_, span) in rest.iter().filter(|(server, _)| server.protocol != first.protocol) {
        let message = format!("the servers of upstream `{name}` speak different protocols");
        let mut complaint = Complaint::new(Code::MixedProtocols, message)
            .help("make two upstreams of it, one with `https://` and one without");
        if let Some(first) = first_span {
            complaint = complaint.related(first, "the first server");
        }
        report.add(span.as_ref(), complaint);
    }
    Some(first.protocol)
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
        let same = |upstream: &&Arc<Upstream>| {
            upstream.servers == [server.endpoint.clone()] && upstream.protocol == server.protocol
        };
        let mut bare = self.bare.borrow_mut();
        if let Some(known) = bare.iter().find(same) {
            return Some(Arc::clone(known));
        }
        let (connect, first_byte) = self.default_times()?;
        let upstream = Arc::new(Upstream {
            name: text.to_owned(),
            servers: Vec::<Endpoint>::from([server.endpoint]),
            protocol: server.protocol,
            connect,
            first_byte,
            ca: None,
        });
        bare.push(Arc::clone(&upstream));
        Some(upstream)
    }

    fn default_times(&self) -> Option<(Duration, Duration)> {
        let nothing = DeTable::new();
        read_times(&Table::new(self.report, &UPSTREAM, &nothing, None))
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
