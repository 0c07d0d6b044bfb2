//! `directory` of `[acme]`: the CAs.

use crate::complaint::Complaint;
use crate::model::{AcmeCa, AcmeDirectory, ExternalAccount};
use crate::problem::Code;
use crate::read::node::{Node, Shape};
use crate::read::secret;
use crate::read::table::Table;
use crate::source::Span;
use crate::spec::Format;
use crate::text::{parse_directory, parse_word};

/// One CA, or a list of them.
pub(super) fn read(node: &Node<'_>) -> Option<Vec<AcmeDirectory>> {
    match node.shape()? {
        Shape::List(items) => {
            let read = |item: &Node<'_>| Some((read_one(item)?, item.span()));
            let list: Vec<_> = items.iter().filter_map(read).collect();
            report_duplicates(node, &list);
            Some(list.into_iter().map(|(directory, _)| directory).collect())
        }
        _ => Some(vec![read_one(node)?]),
    }
}

fn read_one(node: &Node<'_>) -> Option<AcmeDirectory> {
    match node.shape()? {
        Shape::Table(table) => read_table(table),
        _ => {
            let ca = read_ca(node)?;
            if ca.wants_external_account() {
                node.complain(wants_account(&ca));
            }
            Some(AcmeDirectory { ca, eab: None, roots: None })
        }
    }
}

fn read_ca(node: &Node<'_>) -> Option<AcmeCa> {
    let (ca, warning) = node.parse(Format::Directory, parse_directory)?;
    if let Some(warning) = warning {
        node.complain(warning);
    }
    Some(ca)
}

fn read_table(table: Table<'_>) -> Option<AcmeDirectory> {
    let ca = table.given("ca").and_then(|node| read_ca(&node));
    let eab = table.given("eab").and_then(|node| read_account(&node));
    let roots = table.given("roots").and_then(|node| node.path(Format::File));
    match (&ca, table.key_span("eab")) {
        (Some(ca), None) if ca.wants_external_account() => table.complain(wants_account(ca)),
        (Some(ca @ (AcmeCa::LetsEncrypt | AcmeCa::LetsEncryptStaging)), Some(span)) => {
            let message = format!("`eab` does nothing: `{ca}` binds accounts to no others");
            let complaint = Complaint::new(Code::MisplacedKey, message).help("remove `eab`");
            table.report.add(Some(&span), complaint);
        }
        _ => {}
    }
    table.finish();
    Some(AcmeDirectory { ca: ca?, eab, roots })
}

fn read_account(node: &Node<'_>) -> Option<ExternalAccount> {
    let table = node.table()?;
    let key_id = table.given("key_id").and_then(|node| node.parse(Format::Word, parse_word));
    let key = table.given("key").and_then(|node| secret::read(&node));
    table.finish();
    Some(ExternalAccount { key_id: key_id?, key: key? })
}

fn wants_account(ca: &AcmeCa) -> Complaint {
    let message = format!(
        "`{ca}` issues only to accounts that are bound to one of its customers, and there is no `eab`"
    );
    Complaint::new(Code::MissingKey, message).help(format!(
        "write {{ ca = \"{ca}\", eab = {{ key_id = \"…\", key = {{ file = \"…\" }} }} }}, with the key's id and the HMAC key that the CA gives its customers"
    ))
}

fn report_duplicates(node: &Node<'_>, list: &[(AcmeDirectory, Option<Span>)]) {
    for (index, (later, span)) in list.iter().enumerate() {
        let Some((_, first)) = list[..index].iter().find(|(first, _)| first.ca == later.ca) else {
            continue;
        };
        let message = format!("`{}` is named twice", later.ca);
        let complaint = Complaint::new(Code::DuplicateEntry, message)
            .help("keep one; the list is for other CAs, where the first fails for long");
        let complaint = first.iter().fold(complaint, |it, span| it.related(span, "the first"));
        node.report.add(span.as_ref(), complaint);
    }
}
