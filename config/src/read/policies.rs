//! The policies of one level.

use std::sync::Arc;

use ipnet::IpNet;

use super::node::{Node, Shape};
use super::table::Table;
use super::{Context, auth, cache_control, compress, cors, errors, headers, limits, webhook};
use crate::level::{DenyLevel, Level};
use crate::model::{Access, Limit};
use crate::problem::Code;
use crate::spec::Format;
use crate::text::{parse_duration, parse_networks, parse_size, parse_suffix};

pub(super) fn read(table: &Table<'_>, context: &Context<'_>) -> Level {
    let given = |key| table.given(key);
    Level {
        maintenance: given("maintenance").and_then(|node| errors::read_maintenance(&node)),
        headers: given("headers").and_then(|node| headers::read(&node)),
        limits: given("limit").and_then(|node| read_limits(&node, context)),
        access: read_access(given("allow"), given("deny")),
        deny_paths: given("deny_paths").and_then(|node| read_deny_paths(&node)),
        bandwidth: given("bandwidth").and_then(|node| limits::read_bandwidth(&node)),
        body: given("body").and_then(|node| node.parse(Format::Size, parse_size)),
        idle: given("idle").and_then(|node| node.parse(Format::Duration, parse_duration)),
        errors: given("errors").and_then(|node| errors::read(&node, context)),
        cors: given("cors").and_then(|node| cors::read(&node)),
        cache_control: given("cache_control").and_then(|node| cache_control::read(&node)),
        compress: given("compress").and_then(|node| compress::read(&node)),
        auth: given("auth").and_then(|node| auth::read(&node, context)),
        webhook: given("webhook").and_then(|node| webhook::read(&node)),
        forwarded: given("forwarded").and_then(|node| node.bool()),
        log: given("log").and_then(|node| node.bool()),
    }
}

fn read_limits(node: &Node<'_>, context: &Context<'_>) -> Option<Vec<Arc<Limit>>> {
    let find = |node: &Node<'_>| {
        let find = |name: &str| context.limits.find(name, Code::UnknownLimit);
        node.parse(Format::LimitName, find).flatten()
    };
    match node.shape()? {
        Shape::Text(_) => Some(vec![find(node)?]),
        Shape::List(items) => {
            let mut limits: Vec<Arc<Limit>> = Vec::new();
            for limit in items.iter().filter_map(find) {
                // Counting one request twice against one limit is never meant.
                if !limits.contains(&limit) {
                    limits.push(limit);
                }
            }
            Some(limits)
        }
        _ => None,
    }
}

fn read_access(allow: Option<Node<'_>>, deny: Option<Node<'_>>) -> Option<Access> {
    if allow.is_none() && deny.is_none() {
        return None;
    }
    let networks = |node: Option<Node<'_>>| node.and_then(read_networks).unwrap_or_default();
    Some(Access { allow: networks(allow), deny: networks(deny) })
}

pub(super) fn read_networks(node: Node<'_>) -> Option<Vec<IpNet>> {
    let lists = node.each(|item| {
        let (networks, warning) = item.parse(Format::Network, parse_networks)?;
        if let Some(warning) = warning {
            item.complain(warning);
        }
        Some(networks)
    });
    Some(lists?.concat())
}

fn read_deny_paths(node: &Node<'_>) -> Option<DenyLevel> {
    match node.shape()? {
        Shape::Bool(true) => Some(DenyLevel::On),
        Shape::Bool(false) => Some(DenyLevel::Off),
        Shape::List(items) => {
            let suffixes = items.iter().filter_map(|item| item.parse(Format::Suffix, parse_suffix));
            Some(DenyLevel::Add(suffixes.collect()))
        }
        _ => None,
    }
}
