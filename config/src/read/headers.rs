//! `headers`: a preset, and what is set, added and removed.

use http::HeaderName;

use super::node::{Node, Shape};
use super::table::Table;
use crate::complaint::Complaint;
use crate::level::{HeaderLevel, HeaderOperation};
use crate::model::HeaderPreset;
use crate::problem::Code;
use crate::source::Span;
use crate::spec::Format;
use crate::text::{parse_header_name, parse_header_value};

/// One header of one level: how it was written, where, and what is done to it.
struct Said {
    name: HeaderName,
    written: String,
    span: Option<Span>,
    operation: HeaderOperation,
}

pub(super) fn read(node: &Node<'_>) -> Option<HeaderLevel> {
    match node.shape()? {
        Shape::Text(text) => {
            Some(HeaderLevel { preset: Some(preset(text)?), operations: Vec::new() })
        }
        Shape::Table(table) => Some(read_table(table)),
        _ => None,
    }
}

fn preset(text: &str) -> Option<HeaderPreset> {
    match text {
        "app" => Some(HeaderPreset::App),
        "api" => Some(HeaderPreset::Api),
        "grafana" => Some(HeaderPreset::Grafana),
        "off" => Some(HeaderPreset::Off),
        _ => None,
    }
}

fn read_table(table: Table<'_>) -> HeaderLevel {
    let preset = table.read("preset", |node| preset(node.text()?));
    let mut said = read_values(table.given("set"), HeaderOperation::Set);
    said.extend(read_values(table.given("default"), HeaderOperation::Default));
    said.extend(read_names(table.given("remove")));
    report_duplicates(&table, &said);
    table.finish();
    let operations = said.into_iter().map(|said| (said.name, said.operation));
    HeaderLevel { preset, operations: operations.collect() }
}

fn read_values(
    node: Option<Node<'_>>,
    operation: fn(http::HeaderValue) -> HeaderOperation,
) -> Vec<Said> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    let read = entries.iter().filter_map(|entry| {
        let name = parse_header_name(entry.name);
        let value = entry.node.parse(Format::HeaderValue, parse_header_value);
        let name = name.map_err(|complaint| entry.node.report.add(Some(&entry.span), complaint));
        Some(Said {
            name: name.ok()?,
            written: entry.name.to_owned(),
            span: Some(entry.span.clone()),
            operation: operation(value?),
        })
    });
    read.collect()
}

fn read_names(node: Option<Node<'_>>) -> Vec<Said> {
    let names = node.and_then(|node| {
        node.each(|item| {
            Some(Said {
                name: item.parse(Format::HeaderName, parse_header_name)?,
                written: item.text()?.to_owned(),
                span: item.span(),
                operation: HeaderOperation::Remove,
            })
        })
    });
    names.unwrap_or_default()
}

/// Two words about one header on one level contradict each other; HTTP does not tell `X-A` from
/// `x-a`, TOML does.
fn report_duplicates(table: &Table<'_>, said: &[Said]) {
    for (index, later) in said.iter().enumerate() {
        let Some(first) = said[..index].iter().find(|said| said.name == later.name) else {
            continue;
        };
        let message = format!("`{}` is named twice", later.written);
        let mut complaint = Complaint::new(Code::DuplicateHeader, message)
            .help("keep one; a header is either set, added by default, or removed");
        if let Some(span) = &first.span {
            complaint = complaint.related(span, "the first");
        }
        table.report.add(later.span.as_ref(), complaint);
    }
}
