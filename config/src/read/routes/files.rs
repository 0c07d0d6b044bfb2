//! `files`: a folder, or a table about it.

use std::path::Path;

use crate::model::{Action, Files};
use crate::read::node::{Node, Shape};
use crate::read::table::Table;
use crate::spec::Format;
use crate::text::{parse_file, parse_file_below};

pub(in crate::read) fn read(node: &Node<'_>, base: &Path) -> Option<Action> {
    let files = match node.shape()? {
        Shape::Text(_) => Files {
            dir: node.parse(Format::Folder, |text| parse_file(text, base))?,
            index: "index.html".into(),
            spa: None,
            precompressed: false,
        },
        Shape::Table(table) => read_table(table, base)?,
        _ => return None,
    };
    Some(Action::Files(files))
}

fn read_table(table: Table<'_>, base: &Path) -> Option<Files> {
    let below = |node: Node<'_>| node.parse(Format::FileBelow, parse_file_below);
    let dir = table.read("dir", |node| node.parse(Format::Folder, |text| parse_file(text, base)));
    let index = table.read("index", below);
    let spa = table.given("spa").map(below);
    let precompressed = table.read("precompressed", |node| node.bool());
    table.finish();
    Some(Files {
        dir: dir?,
        index: index?,
        spa: spa.map_or(Some(None), |read| read.map(Some))?,
        precompressed: precompressed?,
    })
}
