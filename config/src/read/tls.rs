//! `tls`: where a site's certificate comes from.

use std::path::PathBuf;

use super::acme::certificate;
use super::node::{Node, Shape};
use super::table::Table;
use crate::model::{AcmeCertificate, CertificateFiles, Tls};
use crate::spec::Format;

pub(super) fn read(node: &Node<'_>, acme: &AcmeCertificate) -> Option<Tls> {
    match node.shape()? {
        Shape::Text("self-signed") => Some(Tls::SelfSigned),
        Shape::Text("acme") => Some(Tls::Acme(acme.clone())),
        Shape::Table(table) if table.describes("acme") => Some(read_acme(table, acme)),
        Shape::Table(table) => Some(Tls::Files(vec![read_pair(table)?])),
        Shape::List(items) => {
            let pairs = items.iter().filter_map(|item| read_pair(item.table()?));
            Some(Tls::Files(pairs.collect()))
        }
        _ => None,
    }
}

/// `{ acme = { … } }`. What is broken in it has been reported.
fn read_acme(table: Table<'_>, above: &AcmeCertificate) -> Tls {
    let own = table.given("acme").and_then(|node| {
        let table = node.table()?;
        let own = certificate::read(&table, above);
        table.finish();
        Some(own)
    });
    table.finish();
    Tls::Acme(own.unwrap_or_else(|| above.clone()))
}

fn read_pair(table: Table<'_>) -> Option<CertificateFiles> {
    let file = |key| -> Option<PathBuf> { table.read(key, |node| node.path(Format::File)) };
    let (cert, key) = (file("cert"), file("key"));
    table.finish();
    Some(CertificateFiles { cert: cert?, key: key? })
}
