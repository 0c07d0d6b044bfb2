//! Where a secret is read from.

use super::node::Node;
use crate::complaint::Complaint;
use crate::model::Secret;
use crate::problem::Code;
use crate::spec::Format;
use crate::text::parse_variable;

/// `{ env = "NAME" }` or `{ file = "path" }`. Anything else may be the secret itself, which is no
/// part of any message; `crate::hidden` keeps it out of the lines that are shown.
pub(super) fn read(node: &Node<'_>) -> Option<Secret> {
    let name = node.name;
    if !node.value.is_table() {
        node.complain(literal(name, ["", ""]));
        return None;
    }
    read_table(node)
}

/// A list of them.
pub(super) fn read_list(node: &Node<'_>) -> Option<Vec<Secret>> {
    if !node.value.is_array() {
        node.complain(literal(node.name, ["[", "]"]));
        return None;
    }
    node.each(|item| {
        if !item.value.is_table() {
            item.complain(literal(node.name, ["[", "]"]));
            return None;
        }
        read_table(item)
    })
}

fn read_table(node: &Node<'_>) -> Option<Secret> {
    let name = node.name;
    let table = node.table()?.labelled(format!("`{name}`"));
    let env = table
        .given("env")
        .and_then(|node| node.parse(Format::Variable, parse_variable))
        .map(Secret::Env);
    let file = table.given("file").and_then(|node| node.path(Format::File)).map(Secret::File);
    table.finish();
    env.or(file)
}

fn literal(name: &str, [open, close]: [&str; 2]) -> Complaint {
    let message = format!(
        "`{name}` holds the secret itself, and everyone who may read this file would know it"
    );
    Complaint::new(Code::LiteralSecret, message).help(format!(
        "write {name} = {open}{{ file = \"…\" }}{close} with the secret in that file, or {name} = {open}{{ env = \"NAME\" }}{close}; if others have seen the secret, have it replaced"
    ))
}
