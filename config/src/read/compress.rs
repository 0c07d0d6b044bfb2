//! `compress`.

use super::node::{Node, Shape};
use super::table::Table;
use crate::complaint::Complaint;
use crate::model::{Compress, CompressLevels, ContentCoding};
use crate::problem::Code;
use crate::spec::Format;
use crate::text::{parse_media_range, parse_size};

/// `Some(None)` takes away what outer levels say.
pub(super) fn read(node: &Node<'_>) -> Option<Option<Compress>> {
    match node.shape()? {
        Shape::Bool(wanted) => Some(wanted.then(Compress::default)),
        Shape::Table(table) => read_table(table).map(Some),
        _ => None,
    }
}

fn read_table(table: Table<'_>) -> Option<Compress> {
    let codings = table.read("algorithms", |node| read_codings(&node));
    let min = table.read("min", |node| node.parse(Format::Size, parse_size));
    let types = table
        .given("types")
        .map(|node| node.each(|item| item.parse(Format::MediaRange, parse_media_range)));
    let levels = table.read("level", |node| read_levels(node.table()?));
    table.finish();
    Some(Compress {
        codings: codings?,
        levels: levels?,
        min: min?,
        types: types.map_or(Some(None), |read| read.map(Some))?,
    })
}

fn read_codings(node: &Node<'_>) -> Option<Vec<ContentCoding>> {
    let mut codings = Vec::new();
    for item in node.list()? {
        let word = item.text();
        let named = |coding: &ContentCoding| word == Some(coding.as_str());
        let Some(coding) = ContentCoding::ALL.into_iter().find(named) else { continue };
        if codings.contains(&coding) {
            let complaint =
                Complaint::new(Code::DuplicateEntry, format!("`{coding}` is named twice"));
            item.complain(complaint.help("keep one; the first in the list is preferred"));
        }
        codings.push(coding);
    }
    Some(codings)
}

fn read_levels(table: Table<'_>) -> Option<CompressLevels> {
    let level = |key| table.read(key, |node| u8::try_from(node.count()?).ok());
    let (zstd, br, gzip) = (level("zstd"), level("br"), level("gzip"));
    table.finish();
    Some(CompressLevels { zstd: zstd?, br: br?, gzip: gzip? })
}
