//! The DNS server's records. Names are given without a dot at the end. A name without a record of its
//! own has the address 127.0.0.1, and no other record.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::net::UdpSocket;

use super::Pebble;
use super::client;
use super::ports::Ports;

/// The arguments of `pebble-challtestsrv`: nothing but DNS, and IPv4 unless a name says otherwise,
/// since pebble would prefer IPv6.
pub(crate) fn arguments(ports: &Ports) -> Vec<String> {
    let [dns, names] = [ports.dns.to_string(), ports.names.to_string()];
    let arguments = [
        ["-http01", ""],
        ["-https01", ""],
        ["-tlsalpn01", ""],
        ["-dns01", &dns],
        ["-management", &names],
        ["-defaultIPv4", "127.0.0.1"],
        ["-defaultIPv6", ""],
    ];
    arguments.concat().into_iter().map(str::to_owned).collect()
}

/// Whether DNS and the management API answer, and are of one process: the latter knows a question
/// that the former got.
pub(crate) async fn answers(ports: &Ports) -> bool {
    let asked = async {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect(ports.dns).await?;
        socket.send(QUESTION).await
    };
    let history = json!({ "host": "ready.test" }).to_string();
    asked.await.is_ok()
        && client::post(ports.names, "/dns-request-history", history)
            .await
            .is_ok_and(|(_, body)| body.windows(10).any(|part| part == b"ready.test"))
}

/// A question for the address of `ready.test`.
const QUESTION: &[u8] = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
    \x05ready\x04test\x00\x00\x01\x00\x01";

impl Pebble {
    /// The address of every name that has none of its own; with `None` they have none.
    pub(crate) async fn set_default_ipv4(&self, address: Option<Ipv4Addr>) {
        let ip = address.map(|address| address.to_string()).unwrap_or_default();
        self.names("/set-default-ipv4", json!({ "ip": ip })).await;
    }

    /// A name's IPv4 addresses; none removes what was set.
    pub(crate) async fn set_a(&self, name: &str, addresses: &[Ipv4Addr]) {
        self.set("a", name, json!({ "addresses": addresses }), addresses.is_empty()).await;
    }

    /// A name's IPv6 addresses; none removes what was set.
    pub(crate) async fn set_aaaa(&self, name: &str, addresses: &[Ipv6Addr]) {
        self.set("aaaa", name, json!({ "addresses": addresses }), addresses.is_empty()).await;
    }

    /// A name's CAA records, tag and value; none removes what was set. Pebble never asks for them.
    pub(crate) async fn set_caa(&self, name: &str, policies: &[(&str, &str)]) {
        let list: Vec<Value> =
            policies.iter().map(|(tag, value)| json!({ "tag": tag, "value": value })).collect();
        self.set("caa", name, json!({ "policies": list }), policies.is_empty()).await;
    }

    /// Adds a TXT record, beside those that the name has.
    pub(crate) async fn set_txt(&self, name: &str, value: &str) {
        self.names("/set-txt", json!({ "host": full(name), "value": value })).await;
    }

    /// Removes a name's TXT records.
    pub(crate) async fn clear_txt(&self, name: &str) {
        self.names("/clear-txt", json!({ "host": full(name) })).await;
    }

    /// Makes a name an alias; `None` removes that.
    pub(crate) async fn set_cname(&self, name: &str, target: Option<&str>) {
        let path = if target.is_some() { "/set-cname" } else { "/clear-cname" };
        self.names(path, json!({ "host": full(name), "target": target.map(full) })).await;
    }

    /// Makes every question for a name fail with SERVFAIL, or no longer.
    pub(crate) async fn set_servfail(&self, name: &str, fails: bool) {
        let path = if fails { "/set-servfail" } else { "/clear-servfail" };
        self.names(path, json!({ "host": full(name) })).await;
    }

    /// How many questions came for a name, of whatever type.
    pub(crate) async fn dns_questions(&self, name: &str) -> usize {
        let history = self.names("/dns-request-history", json!({ "host": name })).await;
        let list: Vec<Value> = serde_json::from_slice(&history).unwrap_or_default();
        list.len()
    }

    /// Puts a record in the place of those that were there.
    async fn set(&self, kind: &str, name: &str, mut record: Value, is_empty: bool) {
        record["host"] = full(name).into();
        self.names(&format!("/clear-{kind}"), record.clone()).await;
        if !is_empty {
            self.names(&format!("/add-{kind}"), record).await;
        }
    }

    async fn names(&self, path: &str, body: Value) -> bytes::Bytes {
        let said = body.to_string();
        let (status, answer) = client::post(self.ports.names, path, said).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path} {body}: {answer:?}");
        answer
    }
}

fn full(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}
