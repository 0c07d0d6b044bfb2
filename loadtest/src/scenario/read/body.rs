//! `body`, `body_size`, `body_file`; `message`, `message_size`.

use std::fs;
use std::sync::Arc;

use super::Context;
use super::table::Table;
use super::value::Value;
use crate::scenario::text::read_size;

/// What a body of a given size is filled with.
const FILLING: u8 = b'x';

/// A request's body; empty where none is given.
pub(super) fn read(table: &Table<'_>, context: &Context<'_>) -> Arc<[u8]> {
    table.only_one_of(&["body", "body_size", "body_file"]);
    let text = table.get("body").and_then(|value| Some(value.text()?.as_bytes().to_vec()));
    let size = table.get("body_size").and_then(|value| value.parse(read_size));
    let file = table.get("body_file").and_then(|value| read_file(&value, context));
    text.or(size.map(|size| vec![FILLING; size])).or(file).unwrap_or_default().into()
}

/// The message of `[websocket]`.
pub(super) fn read_message(table: &Table<'_>) -> Arc<[u8]> {
    const DEFAULT: usize = 128;
    table.only_one_of(&["message", "message_size"]);
    let text = table.get("message").and_then(|value| Some(value.text()?.as_bytes().to_vec()));
    let size = table.read("message_size", DEFAULT, |value| value.parse(read_size));
    text.unwrap_or_else(|| vec![FILLING; size]).into()
}

fn read_file(value: &Value<'_>, context: &Context<'_>) -> Option<Vec<u8>> {
    let name = value.text()?;
    let read = fs::read(context.folder.join(name));
    let complain = |error: &std::io::Error| {
        value.complain(
            format!("cannot read {name}: {error}"),
            "name a readable file; a relative path begins at the scenario's folder",
        );
    };
    read.inspect_err(complain).ok()
}
