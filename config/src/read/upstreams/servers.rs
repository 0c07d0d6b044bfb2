//! `servers` of an upstream.

use std::num::NonZeroU32;

use super::super::node::{Node, Shape};
use super::super::table::Table;
use crate::complaint::{Complaint, Report};
use crate::model::{Protocol, UpstreamServer};
use crate::problem::Code;
use crate::source::Span;
use crate::spec::Format;
use crate::text::parse_server;

/// One server, what is spoken to it, and where it stands.
pub(super) struct ReadServer {
    pub(super) server: UpstreamServer,
    protocol: Protocol,
    span: Option<Span>,
}

pub(super) fn read(node: &Node<'_>) -> Option<Vec<ReadServer>> {
    node.each(|item| match item.shape()? {
        Shape::Text(_) => {
            let server = item.parse(Format::Server, parse_server)?;
            let (server, protocol) = (UpstreamServer::at(server.endpoint), server.protocol);
            Some(ReadServer { server, protocol, span: item.span() })
        }
        Shape::Table(table) => read_entry(table, item.span()),
        _ => None,
    })
}

fn read_entry(table: Table<'_>, span: Option<Span>) -> Option<ReadServer> {
    let table = table.labelled("a server of `servers`");
    let server = table.read("to", |node| node.parse(Format::Server, parse_server));
    let weight = table.read("weight", |node| NonZeroU32::new(node.count()?));
    let backup = table.read("backup", |node| node.bool());
    table.finish();
    let (server, weight, backup) = (server?, weight?, backup?);
    let protocol = server.protocol;
    let server = UpstreamServer { endpoint: server.endpoint, weight, backup };
    Some(ReadServer { server, protocol, span })
}

pub(super) fn any_https(servers: &[ReadServer]) -> bool {
    servers.iter().any(|read| read.protocol == Protocol::Https)
}

pub(super) fn common_protocol(
    name: &str,
    servers: &[ReadServer],
    report: &Report<'_>,
) -> Option<Protocol> {
    let (first, rest) = servers.split_first()?;
    for other in rest.iter().filter(|other| other.protocol != first.protocol) {
        let message = format!("the servers of upstream `{name}` speak different protocols");
        let mut complaint = Complaint::new(Code::MixedProtocols, message)
            .help("make two upstreams of it, one with `https://` and one without");
        if let Some(first) = &first.span {
            complaint = complaint.related(first, "the first server");
        }
        report.add(other.span.as_ref(), complaint);
    }
    Some(first.protocol)
}

/// A backup is one for others.
pub(super) fn report_only_backups(name: &str, servers: &[ReadServer], report: &Report<'_>) {
    if let Some(first) = servers.first()
        && servers.iter().all(|read| read.server.backup)
    {
        let message = format!("every server of upstream `{name}` is a backup");
        let complaint = Complaint::new(Code::MisplacedKey, message)
            .help("remove `backup` from those that are to be asked first");
        report.add(first.span.as_ref(), complaint);
    }
}
