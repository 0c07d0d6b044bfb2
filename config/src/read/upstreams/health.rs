//! `health` of an upstream.

use std::num::NonZeroU32;

use http::StatusCode;

use super::super::node::Node;
use super::super::table::Table;
use super::settings::{misplaced, optional};
use super::tls::parse_host;
use crate::complaint::{Complaint, quoted};
use crate::model::{Health, HealthCheck};
use crate::problem::Code;
use crate::spec::Format;
use crate::text::parse_duration;

pub(super) fn read(node: &Node<'_>) -> Option<Health> {
    let table = node.table()?.labelled("`health`");
    let duration = |key| table.read(key, |node| node.parse(Format::Duration, parse_duration));
    let (every, timeout) = (duration("every"), duration("timeout"));
    let count = |key| table.read(key, |node| NonZeroU32::new(node.count()?));
    let (unhealthy_after, healthy_after) = (count("unhealthy_after"), count("healthy_after"));
    let check = read_check(&table);
    table.finish();
    Some(Health {
        check: check?,
        every: every?,
        timeout: timeout?,
        unhealthy_after: unhealthy_after?,
        healthy_after: healthy_after?,
    })
}

fn read_check(table: &Table<'_>) -> Option<HealthCheck> {
    let path = table.given("path").map(|node| node.parse(Format::PathPrefix, parse_target));
    let tcp = table.given("tcp").map(|node| read_tcp(&node));
    let host = optional(table, "host", |node| node.parse(Format::Host, parse_host));
    let status = table.given("status").map_or(Some(Vec::new()), |node| {
        node.each(|item| StatusCode::from_u16(u16::try_from(item.count()?).ok()?).ok())
    });
    match (path, tcp) {
        (Some(path), None) => Some(HealthCheck::Http { path: path?, host: host?, status: status? }),
        (None, Some(tcp)) => {
            for key in ["host", "status"].into_iter().filter(|key| table.has(key)) {
                let help = format!("remove `{key}`, or ask for a `path` instead of `tcp`");
                misplaced(table, key, "a connection alone asks for nothing", &help);
            }
            tcp.map(|()| HealthCheck::Tcp)
        }
        // That exactly one must be given has been said.
        _ => None,
    }
}

fn read_tcp(node: &Node<'_>) -> Option<()> {
    let on = node.bool()?;
    if !on {
        let complaint = Complaint::new(Code::BadChoice, "`tcp` cannot be false")
            .help("write tcp = true, or a `path` that is asked for");
        node.complain(complaint);
    }
    on.then_some(())
}

/// Path and query as they stand in a request's first line (RFC 9112, section 3.2.1).
fn parse_target(text: &str) -> Result<String, Complaint> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if text.starts_with('/') && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    let complaint = Complaint::new(Code::BadPath, format!("{} is not a path", quoted(text)));
    Err(complaint.help("write it as it stands in a request, for instance \"/health?deep=1\"; what is not ASCII is percent-encoded"))
}
