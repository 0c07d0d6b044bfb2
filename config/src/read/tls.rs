//! `tls`: where a site's certificate comes from.

use std::path::{Path, PathBuf};

use super::node::{Node, Shape};
use super::table::Table;
use crate::complaint::Complaint;
use crate::model::{CertificateFiles, Tls};
use crate::problem::Code;
use crate::spec::Format;
use crate::text::parse_file;

pub(super) fn read(node: &Node<'_>, base: &Path) -> Option<Tls> {
    if node.value.as_str() == Some("acme") {
        node.complain(
            Complaint::new(
                Code::NotYet,
                "`tls = \"acme\"` is not in this version of the gateway yet",
            )
            .help("write tls = { cert = \"…\", key = \"…\" } for a certificate of yours, or tls = \"self-signed\""),
        );
        return None;
    }
    match node.shape()? {
        Shape::Text("self-signed") => Some(Tls::SelfSigned),
        Shape::Table(table) => Some(Tls::Files(vec![read_pair(table, base)?])),
        Shape::List(items) => {
            let pairs = items.iter().filter_map(|item| read_pair(item.table()?, base));
            Some(Tls::Files(pairs.collect()))
        }
        _ => None,
    }
}

fn read_pair(table: Table<'_>, base: &Path) -> Option<CertificateFiles> {
    let file = |key| -> Option<PathBuf> {
        table.read(key, |node| node.parse(Format::File, |text| parse_file(text, base)))
    };
    let (cert, key) = (file("cert"), file("key"));
    table.finish();
    Some(CertificateFiles { cert: cert?, key: key? })
}
