//! `cache_control`.

use super::node::Node;
use super::table::Table;
use crate::complaint::Complaint;
use crate::model::CacheControl;
use crate::problem::Code;
use crate::source::Span;
use crate::spec::Format;
use crate::text::{parse_ending, parse_header_value};

pub(super) fn read(node: &Node<'_>) -> Option<Vec<CacheControl>> {
    let mut seen: Vec<(String, Option<Span>)> = Vec::new();
    let items = node.list()?;
    let entries = items.iter().filter_map(|item| read_entry(item.table()?, &mut seen));
    Some(entries.collect())
}

fn read_entry(table: Table<'_>, seen: &mut Vec<(String, Option<Span>)>) -> Option<CacheControl> {
    let suffixes = table.given("suffixes").and_then(|node| {
        node.each(|item| Some((item.parse(Format::Ending, parse_ending)?, item.span())))
    });
    let value = table.read("value", |node| {
        node.parse(Format::HeaderValue, |text| match text {
            "" => Err(Complaint::new(Code::BadHeader, "this says nothing about caching")
                .help("write for instance \"public, max-age=3600\", or remove the entry")),
            text => parse_header_value(text),
        })
    });
    for (suffix, span) in suffixes.iter().flatten() {
        report_duplicate(&table, suffix, span.as_ref(), seen);
        seen.push((suffix.clone(), span.clone()));
    }
    table.finish();
    let suffixes = suffixes?.into_iter().map(|(suffix, _)| suffix).collect();
    Some(CacheControl { suffixes, value: value? })
}

fn report_duplicate(
    table: &Table<'_>,
    suffix: &str,
    span: Option<&Span>,
    seen: &[(String, Option<Span>)],
) {
    let Some((_, first)) = seen.iter().find(|(earlier, _)| earlier == suffix) else { return };
    let complaint = Complaint::new(Code::DuplicateEntry, format!("`{suffix}` is named twice"))
        .help("keep one; the first entry that fits counts");
    let complaint = first.iter().fold(complaint, |it, span| it.related(span, "the first"));
    table.report.add(span, complaint);
}
