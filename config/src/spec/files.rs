//! `files`.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) const FILES: Kind = Kind::Either(&[Kind::Text(Format::Folder), Kind::Table(&TABLE)]);

static TABLE: TableSpec = TableSpec {
    id: "files",
    heading: "files = { dir, index, spa, precompressed }",
    doc: "A folder whose files are served to GET and HEAD: ranges, `ETag`, no listing, no dotfiles, and no symbolic link that leads out of the folder.",
    groups: &[&[
        KeySpec {
            name: "dir",
            kind: Kind::Text(Format::Folder),
            presence: Presence::Required("name the folder: dir = \"dist\""),
            doc: "The folder. A relative path begins at the folder of the configuration file.",
            example: "\"dist\"",
        },
        KeySpec {
            name: "index",
            kind: Kind::Text(Format::FileBelow),
            presence: Presence::Default("\"index.html\""),
            doc: "The file that is served for its folder.",
            example: "\"index.htm\"",
        },
        KeySpec {
            name: "spa",
            kind: Kind::Text(Format::FileBelow),
            presence: Presence::Optional("a path without a file gets 404"),
            doc: "The file that is served for every page without a file of its own, as a single-page application wants it. A page is what is asked for as `text/html`; a missing script stays a 404.",
            example: "\"index.html\"",
        },
        KeySpec {
            name: "precompressed",
            kind: Kind::Bool,
            presence: Presence::Default("false"),
            doc: "Whether `x.js.br`, `x.js.zst` and `x.js.gz` are served for `x.js` to clients that take them.",
            example: "true",
        },
    ]],
    one_of: &[],
};
