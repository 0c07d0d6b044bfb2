//! What an upstream says about time and about sharing requests; for a bare address, the defaults.

use std::num::NonZeroU32;
use std::time::Duration;

use super::super::node::{Node, Shape};
use super::super::table::Table;
use super::health;
use crate::complaint::Complaint;
use crate::model::{Balance, Fail, HashKey, Health, ProxyProtocol, Queue};
use crate::problem::Code;
use crate::spec::Format;
use crate::text::{parse_duration, parse_header_name, parse_name};

/// `fail = true`, which is the default written out.
const FAIL: Fail = Fail { max: NonZeroU32::MIN.saturating_add(2), within: Duration::from_secs(30) };

pub(super) struct Settings {
    pub(super) connect: Duration,
    pub(super) first_byte: Duration,
    pub(super) proxy_protocol: Option<ProxyProtocol>,
    pub(super) balance: Balance,
    pub(super) retries: u32,
    pub(super) fail: Option<Fail>,
    pub(super) health: Option<Health>,
    pub(super) slow_start: Option<Duration>,
    pub(super) max_requests: Option<NonZeroU32>,
    pub(super) queue: Option<Queue>,
}

impl Settings {
    /// `None` where something is broken, which has been reported.
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let duration = |key| table.read(key, |node| node.parse(Format::Duration, parse_duration));
        let (connect, first_byte) = (duration("connect"), duration("first_byte"));
        let balance = table.read("balance", |node| read_balance(&node));
        let proxy_protocol = optional(table, "proxy_protocol", |node| match node.text()? {
            "v1" => Some(ProxyProtocol::V1),
            "v2" => Some(ProxyProtocol::V2),
            _ => None,
        });
        let fail = table.read("fail", |node| read_fail(&node));
        let health = optional(table, "health", |node| health::read(&node));
        let retries = table.read("retries", |node| node.count());
        let slow_start =
            optional(table, "slow_start", |node| node.parse(Format::Duration, parse_duration));
        let max_requests = optional(table, "max_requests", |node| NonZeroU32::new(node.count()?));
        let queue = optional(table, "queue", |node| read_queue(&node));
        if table.has("queue") && !table.has("max_requests") {
            let help = "add `max_requests`, or remove `queue`";
            misplaced(table, "queue", "without `max_requests` every server has room", help);
        }
        Some(Self {
            connect: connect?,
            first_byte: first_byte?,
            proxy_protocol: proxy_protocol?,
            balance: balance?,
            retries: retries?,
            fail: fail?,
            health: health?,
            slow_start: slow_start?,
            max_requests: max_requests?,
            queue: queue?,
        })
    }
}

/// `Some(None)` where the key is not there, `None` where it is broken.
pub(super) fn optional<T>(
    table: &Table<'_>,
    key: &'static str,
    read: impl Fn(Node<'_>) -> Option<T>,
) -> Option<Option<T>> {
    table.given(key).map_or(Some(None), |node| read(node).map(Some))
}

pub(super) fn misplaced(table: &Table<'_>, key: &str, why: &str, help: &str) {
    let message = format!("`{key}` does nothing on {}: {why}", table.label());
    let complaint = Complaint::new(Code::MisplacedKey, message).help(help);
    table.report.add(table.key_span(key).as_ref(), complaint);
}

fn read_balance(node: &Node<'_>) -> Option<Balance> {
    match node.shape()? {
        Shape::Text("round_robin") => Some(Balance::RoundRobin),
        Shape::Text("least_connections") => Some(Balance::LeastConnections),
        Shape::Table(table) if table.describes("sticky") => {
            let cookie = table.read("sticky", |node| node.parse(Format::Name, parse_name));
            table.finish();
            Some(Balance::Sticky(cookie?))
        }
        Shape::Table(table) => {
            let key = table.read("hash", |node| read_hash(&node));
            table.finish();
            Some(Balance::Hash(key?))
        }
        _ => None,
    }
}

fn read_hash(node: &Node<'_>) -> Option<HashKey> {
    match node.shape()? {
        Shape::Text("client_ip") => Some(HashKey::ClientIp),
        Shape::Text("path") => Some(HashKey::Path),
        Shape::Table(table) if table.describes("header") => {
            let name =
                table.read("header", |node| node.parse(Format::HeaderName, parse_header_name));
            table.finish();
            Some(HashKey::Header(name?))
        }
        Shape::Table(table) => {
            let name = table.read("cookie", |node| node.parse(Format::Name, parse_name));
            table.finish();
            Some(HashKey::Cookie(name?))
        }
        _ => None,
    }
}

fn read_fail(node: &Node<'_>) -> Option<Option<Fail>> {
    match node.shape()? {
        Shape::Bool(on) => Some(on.then_some(FAIL)),
        Shape::Table(table) => {
            let max = table.read("max", |node| NonZeroU32::new(node.count()?));
            let within = table.read("within", |node| node.parse(Format::Duration, parse_duration));
            table.finish();
            Some(Some(Fail { max: max?, within: within? }))
        }
        _ => None,
    }
}

fn read_queue(node: &Node<'_>) -> Option<Queue> {
    let table = node.table()?;
    let max = table.read("max", |node| NonZeroU32::new(node.count()?));
    let wait = table.read("wait", |node| node.parse(Format::Duration, parse_duration));
    table.finish();
    Some(Queue { max: max?, wait: wait? })
}
