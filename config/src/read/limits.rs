//! `[limit.NAME]`.

use std::num::NonZeroU32;

use super::names::Names;
use super::node::{NamedNode, Node};
use crate::model::{Limit, LimitKey};
use crate::spec::Format;
use crate::text::parse_rate;

pub(super) fn read(node: Option<Node<'_>>) -> Names<Limit> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    Names::read("limit", entries, read_limit)
}

fn read_limit(name: &str, entry: &NamedNode<'_>) -> Option<Limit> {
    let table = entry.node.table()?.labelled(format!("limit `{name}`"));
    let rate = table.read("rate", |node| node.parse(Format::Rate, parse_rate));
    let burst = table.read("burst", |node| NonZeroU32::new(node.count()?));
    let key = table.read("key", |node| match node.text()? {
        "client_ip" => Some(LimitKey::ClientIp),
        _ => None,
    });
    table.finish();
    Some(Limit { name: name.to_owned(), rate: rate?, burst: burst?, key: key? })
}
