//! What the authority remembers.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::answer::Problem;
use super::jws::Key;

/// Everything. What has a number in its URL stands at that index.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) nonces: HashSet<String>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) orders: Vec<Order>,
    pub(crate) authorizations: Vec<Authorization>,
    pub(crate) certificates: Vec<Certificate>,
}

pub(crate) struct Account {
    pub(crate) key: Key,
    pub(crate) contact: Vec<String>,
    pub(crate) is_deactivated: bool,
}

/// The states of orders, authorizations and challenges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
    Deactivated,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Processing => "processing",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Deactivated => "deactivated",
        }
    }
}

/// What a certificate is for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Identifier {
    /// In lower case; may be a wildcard.
    Dns(String),
    Ip(IpAddr),
}

impl Identifier {
    pub(crate) fn from_json(value: &Value) -> Result<Self, Problem> {
        let text = value["value"].as_str().unwrap_or_default();
        let bad = || Problem::new(400, "rejectedIdentifier", format!("no identifier: {value}"));
        match value["type"].as_str() {
            Some("dns") if text.contains('.') && text.parse::<IpAddr>().is_err() => {
                Ok(Self::Dns(text.to_ascii_lowercase()))
            }
            Some("ip") => text.parse().map(Self::Ip).map_err(|_| bad()),
            Some("dns") => Err(bad()),
            _ => Err(Problem::new(400, "unsupportedIdentifier", value.to_string())),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Dns(name) => json!({ "type": "dns", "value": name }),
            Self::Ip(address) => json!({ "type": "ip", "value": address }),
        }
    }
}

pub(crate) struct Order {
    pub(crate) account: usize,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) authorizations: Vec<usize>,
    pub(crate) status: Status,
    pub(crate) error: Option<Problem>,
    pub(crate) expires: SystemTime,
    pub(crate) profile: &'static str,
    pub(crate) replaces: Option<String>,
    pub(crate) certificate: Option<usize>,
    /// How many looks still find it processing.
    pub(crate) processing_looks: u32,
}

pub(crate) struct Authorization {
    pub(crate) account: usize,
    /// Without the wildcard's asterisk.
    pub(crate) identifier: Identifier,
    pub(crate) is_wildcard: bool,
    pub(crate) status: Status,
    pub(crate) expires: SystemTime,
    pub(crate) challenges: Vec<Challenge>,
}

pub(crate) struct Challenge {
    pub(crate) kind: &'static str,
    pub(crate) token: String,
    pub(crate) status: Status,
    pub(crate) error: Option<Problem>,
}

pub(crate) struct Certificate {
    pub(crate) account: usize,
    /// The identifier of RFC 9773, section 4.1.
    pub(crate) id: String,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) der: Vec<u8>,
    /// What is downloaded.
    pub(crate) chain: String,
    pub(crate) public_key: Vec<u8>,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    /// The order that says it replaces this.
    pub(crate) replaced_by: Option<usize>,
    /// The reason's number.
    pub(crate) revoked: Option<u64>,
}

impl State {
    /// Takes a pending order on, as its authorizations are.
    pub(crate) fn settle(&mut self, order: usize) {
        let order = &mut self.orders[order];
        if order.status != Status::Pending {
            return;
        }
        let states: Vec<Status> =
            order.authorizations.iter().map(|&it| self.authorizations[it].status).collect();
        if states.iter().all(|&it| it == Status::Valid) {
            order.status = Status::Ready;
        } else if states.iter().any(|&it| it != Status::Valid && it != Status::Pending) {
            order.status = Status::Invalid;
        }
    }
}
