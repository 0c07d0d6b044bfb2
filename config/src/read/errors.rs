//! `errors` and `maintenance` of one level.

use super::Context;
use super::node::{NamedNode, Node, Shape};
use super::policies::read_networks;
use super::table::Table;
use crate::level::ErrorsLevel;
use crate::model::{ErrorFormat, ErrorPage, Maintenance, StatusPattern};
use crate::spec::{Format, STATUS};
use crate::text::{parse_duration, parse_error_status, parse_page};

pub(super) fn read(node: &Node<'_>, context: &Context<'_>) -> Option<ErrorsLevel> {
    match node.shape()? {
        Shape::Text(text) => Some(ErrorsLevel { format: format(text), ..ErrorsLevel::default() }),
        Shape::Table(table) => Some(read_table(table, context)),
        _ => None,
    }
}

fn format(text: &str) -> Option<ErrorFormat> {
    match text {
        "auto" => Some(ErrorFormat::Auto),
        "json" => Some(ErrorFormat::Json),
        _ => None,
    }
}

fn read_table(table: Table<'_>, context: &Context<'_>) -> ErrorsLevel {
    let pages = table.chosen(STATUS);
    let pages = pages.iter().filter_map(|named| read_page(named, context)).collect();
    let format = table.given("format").and_then(|node| format(node.text()?));
    let intercept = table.given("intercept").and_then(|node| node.bool());
    table.finish();
    ErrorsLevel { format, pages, intercept }
}

/// A status and its file; both are looked at, whatever is wrong with the other.
fn read_page(named: &NamedNode<'_>, context: &Context<'_>) -> Option<(StatusPattern, ErrorPage)> {
    let status = parse_error_status(named.name);
    let status =
        status.map_err(|complaint| context.report.add(Some(&named.span), complaint)).ok()?;
    Some((status, page(&named.node)?))
}

fn page(node: &Node<'_>) -> Option<ErrorPage> {
    node.parse(Format::Page, |text| parse_page(text, node.base()))
}

pub(super) fn read_maintenance(node: &Node<'_>) -> Option<Option<Maintenance>> {
    match node.shape()? {
        Shape::Bool(false) => Some(None),
        // As the table without a key.
        Shape::Bool(true) => Some(Some(Maintenance::default())),
        Shape::Table(table) => {
            let allow = read_networks(table.given("allow"));
            let retry_after =
                table.read("retry_after", |node| node.parse(Format::Duration, parse_duration));
            let page = table.given("page").map(|node| page(&node));
            table.finish();
            let page = match page {
                Some(page) => Some(page?),
                None => None,
            };
            Some(Some(Maintenance { allow, retry_after: retry_after?, page }))
        }
        _ => None,
    }
}
