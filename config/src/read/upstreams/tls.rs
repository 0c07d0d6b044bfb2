//! What an upstream says about TLS towards its servers.

use std::path::PathBuf;

use super::super::node::Node;
use super::super::table::Table;
use super::settings::optional;
use crate::complaint::{Complaint, quoted};
use crate::model::{CertificateFiles, Host};
use crate::problem::Code;
use crate::spec::Format;

#[derive(Default)]
pub(super) struct ReadTls {
    pub(super) ca: Option<PathBuf>,
    pub(super) sni: Option<Host>,
    pub(super) client_cert: Option<CertificateFiles>,
}

/// `None` where something is broken, which has been reported.
pub(super) fn read(table: &Table<'_>) -> Option<ReadTls> {
    let file = |node: Node<'_>| node.path(Format::File);
    let ca = optional(table, "ca", file);
    let sni = optional(table, "sni", |node| node.parse(Format::Host, parse_host));
    let client_cert = optional(table, "client_cert", |node| {
        let table = node.table()?;
        let (cert, key) = (table.read("cert", file), table.read("key", file));
        table.finish();
        Some(CertificateFiles { cert: cert?, key: key? })
    });
    Some(ReadTls { ca: ca?, sni: sni?, client_cert: client_cert? })
}

/// Without TLS there is nothing to verify and nobody to show a certificate to.
pub(super) fn report_misplaced(table: &Table<'_>) {
    for key in ["ca", "sni", "client_cert"].into_iter().filter(|key| table.has(key)) {
        let message = format!("{} has a `{key}` and no `https://` server", table.label());
        let complaint = Complaint::new(Code::MisplacedKey, message)
            .help(format!("remove `{key}`, or write the servers as \"https://…\""));
        table.report.add(table.key_span(key).as_ref(), complaint);
    }
}

/// One host, without a wildcard.
pub(super) fn parse_host(text: &str) -> Result<Host, Complaint> {
    Host::parse(text).map_err(|error| {
        Complaint::new(Code::BadHost, format!("{} is not a host: {error}", quoted(text)))
            .help("write a name such as \"backend.internal\", without scheme and port")
    })
}
