//! `files`: a folder, or a table about it.

use crate::model::{Action, Files};
use crate::read::node::{Node, Shape};
use crate::read::table::Table;
use crate::spec::Format;
use crate::text::parse_file_below;

pub(in crate::read) fn read(node: &Node<'_>) -> Option<Action> {
    let files = match node.shape()? {
        Shape::Text(_) => Files {
            dir: node.path(Format::Folder)?,
            index: "index.html".into(),
            spa: None,
            precompressed: false,
        },
        Shape::Table(table) => read_table(table)?,
        _ => return None,
    };
    Some(Action::Files(files))
}

fn read_table(table: Table<'_>) -> Option<Files> {
    let below = |node: Node<'_>| node.parse(Format::FileBelow, parse_file_below);
    let dir = table.read("dir", |node| node.path(Format::Folder));
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
