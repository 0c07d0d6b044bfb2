//! `webhook`.

use std::sync::Arc;

use super::node::{Node, Shape};
use super::secret;
use super::table::Table;
use crate::complaint::Complaint;
use crate::model::{Webhook, WebhookProvider};
use crate::problem::Code;
use crate::spec::Format;
use crate::text::{parse_duration, parse_event};

/// What a level says: `Some(None)` is `"off"`.
pub(super) fn read(node: &Node<'_>) -> Option<Option<Arc<Webhook>>> {
    match node.shape()? {
        Shape::Text(_off) => Some(None),
        Shape::Table(table) => read_table(table).map(Arc::new).map(Some),
        _ => None,
    }
}

fn read_table(table: Table<'_>) -> Option<Webhook> {
    let table = table.labelled("`webhook`");
    let provider = table.given("provider").and_then(|node| match node.text()? {
        "github" => Some(WebhookProvider::GitHub),
        _ => None,
    });
    let secrets = table.given("secrets").and_then(|node| secret::read_list(&node));
    let events =
        table.given("events").map(|node| node.each(|item| item.parse(Format::Event, parse_event)));
    let refuses = table.read("replay", |node| Some(node.text()? == "refuse"));
    let remember = table.read("remember", |node| node.parse(Format::Duration, parse_duration));
    if refuses == Some(false) && table.has("remember") {
        let message = "`remember` does nothing next to replay = \"allow\"";
        let complaint = Complaint::new(Code::MisplacedKey, message).help("remove one of them");
        table.report.add(table.key_span("remember").as_ref(), complaint);
    }
    table.finish();
    Some(Webhook {
        provider: provider?,
        secrets: secrets?,
        events: events.map_or(Some(Vec::new()), |events| events)?,
        remember: if refuses? { Some(remember?) } else { None },
    })
}
