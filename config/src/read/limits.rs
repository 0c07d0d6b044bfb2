//! `[limit.NAME]`, and `bandwidth`.

use std::num::{NonZeroU32, NonZeroU64};

use super::names::Names;
use super::node::{NamedNode, Node, Shape};
use super::table::Table;
use crate::model::{Bandwidth, Counting, Limit, LimitKey, Measure};
use crate::spec::Format;
use crate::text::{
    parse_bandwidth, parse_cookie_name, parse_ending, parse_rate, parse_request_header, parse_size,
};

pub(super) fn read(node: Option<Node<'_>>) -> Names<Limit> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    Names::read("limit", entries, read_limit)
}

fn read_limit(name: &str, entry: &NamedNode<'_>) -> Option<Limit> {
    let table = entry.node.table()?.labelled(format!("limit `{name}`"));
    let measure = read_measure(&table);
    let key = table.read("key", read_key);
    let assets = table.read("assets", read_counting);
    let websockets = table.read("websockets", read_counting);
    let asset_suffixes = table
        .read("asset_suffixes", |node| node.each(|item| item.parse(Format::Ending, parse_ending)));
    let dry_run = table.read("dry_run", |node| node.bool());
    table.finish();
    Some(Limit {
        name: name.to_owned(),
        measure: measure?,
        key: key?,
        assets: assets?,
        websockets: websockets?,
        asset_suffixes: asset_suffixes?,
        dry_run: dry_run?,
    })
}

fn read_measure(table: &Table<'_>) -> Option<Measure> {
    let count = |key| table.read(key, |node| NonZeroU32::new(node.count()?));
    if table.describes("concurrent") {
        return count("concurrent").map(Measure::Concurrent);
    }
    let rate = table.read("rate", |node| node.parse(Format::Rate, parse_rate));
    let burst = count("burst");
    Some(Measure::Rate { rate: rate?, burst: burst? })
}

fn read_key(node: Node<'_>) -> Option<LimitKey> {
    let table = match node.shape()? {
        Shape::Text(_) => return Some(LimitKey::ClientIp),
        Shape::Table(table) => table,
        _ => return None,
    };
    let key = if table.describes("header") {
        let header = table.given("header");
        let name = header.and_then(|node| node.parse(Format::HeaderName, parse_request_header));
        name.map(LimitKey::Header)
    } else {
        let cookie = table.given("cookie");
        let name = cookie.and_then(|node| node.parse(Format::CookieName, parse_cookie_name));
        name.map(LimitKey::Cookie)
    };
    table.finish();
    key
}

fn read_counting(node: Node<'_>) -> Option<Counting> {
    match node.text()? {
        "apart" => Some(Counting::Apart),
        "together" => Some(Counting::Together),
        "skip" => Some(Counting::Skip),
        _ => None,
    }
}

pub(super) fn read_bandwidth(node: &Node<'_>) -> Option<Bandwidth> {
    let parse = |node: &Node<'_>| node.parse(Format::Bandwidth, parse_bandwidth);
    match node.shape()? {
        Shape::Text(_) => parse(node).map(|rate| Bandwidth { rate, burst: rate }),
        Shape::Table(table) => {
            let rate = table.given("rate").and_then(|node| parse(&node));
            let burst = table
                .given("burst")
                .map(|node| NonZeroU64::new(node.parse(Format::Size, parse_size)?));
            table.finish();
            let rate = rate?;
            let burst = match burst {
                // Nothing at once is as little as can be: a byte.
                Some(burst) => burst.unwrap_or(NonZeroU64::MIN),
                None => rate,
            };
            Some(Bandwidth { rate, burst })
        }
        _ => None,
    }
}
