//! `dns` of `[acme]`: who changes DNS records.

use crate::complaint::Complaint;
use crate::model::{DnsProvider, TsigAlgorithm};
use crate::problem::Code;
use crate::read::node::Node;
use crate::read::secret;
use crate::read::table::Table;
use crate::spec::Format;
use crate::text::{parse_api, parse_argument, parse_dns, parse_key_name};

pub(super) fn read(node: &Node<'_>) -> Option<DnsProvider> {
    let table = node.table()?;
    let provider = match table.read("provider", |node| Some(node.text()?.to_owned()))?.as_str() {
        "rfc2136" => read_rfc2136(&table),
        "cloudflare" => read_cloudflare(&table),
        "exec" => read_exec(&table),
        _ => None,
    };
    table.finish();
    provider
}

fn read_rfc2136(table: &Table<'_>) -> Option<DnsProvider> {
    let server = table.read("server", |node| node.parse(Format::Dns, parse_dns));
    let key = table.read("key", |node| node.parse(Format::KeyName, parse_key_name));
    let algorithm = table.read("algorithm", |node| match node.text()? {
        "hmac-sha256" => Some(TsigAlgorithm::HmacSha256),
        "hmac-sha384" => Some(TsigAlgorithm::HmacSha384),
        "hmac-sha512" => Some(TsigAlgorithm::HmacSha512),
        _ => None,
    });
    let secret = table.read("secret", |node| secret::read(&node));
    Some(DnsProvider::Rfc2136 {
        server: server?,
        key: key?,
        algorithm: algorithm?,
        secret: secret?,
    })
}

fn read_cloudflare(table: &Table<'_>) -> Option<DnsProvider> {
    let token = table.read("token", |node| secret::read(&node));
    let api = table.read("api", |node| node.parse(Format::Api, parse_api));
    Some(DnsProvider::Cloudflare { token: token?, api: api? })
}

fn read_exec(table: &Table<'_>) -> Option<DnsProvider> {
    let command = table.read("command", |node| {
        let command = node.each(|item| item.parse(Format::Argument, parse_argument))?;
        if command.first().is_some_and(|program| program.trim().is_empty()) {
            let complaint = Complaint::new(Code::BadCommand, "`command` names no program")
                .help("write the program first: [\"/usr/local/bin/dns-hook\"]");
            node.complain(complaint);
            return None;
        }
        Some(command)
    });
    Some(DnsProvider::Exec { command: command? })
}
