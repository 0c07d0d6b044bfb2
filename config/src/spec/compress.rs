//! `compress`.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

const LEVEL: Kind = Kind::Number { least: 1, most: 9, only: &[] };

pub(super) const COMPRESS: KeySpec = KeySpec {
    name: "compress",
    kind: Kind::Either(&[Kind::Bool, Kind::Table(&TABLE)]),
    presence: Presence::Default("false"),
    doc: "Whether answers are compressed for clients that take it. Never what is compressed already, ranges, event streams, gRPC, and what says `no-transform`. The nearest level decides.",
    example: "true",
};

static TABLE: TableSpec = TableSpec {
    id: "compress",
    heading: "compress = { algorithms, min, types, level }",
    doc: "How answers are compressed.",
    groups: &[&[
        KeySpec {
            name: "algorithms",
            kind: Kind::List { of: &Kind::Choice(&["zstd", "br", "gzip"]), may_be_empty: false },
            presence: Presence::Default("[\"zstd\", \"br\", \"gzip\"]"),
            doc: "The content codings, the most wanted first. The client's own preference counts more.",
            example: "[\"br\", \"gzip\"]",
        },
        KeySpec {
            name: "min",
            kind: Kind::Text(Format::Size),
            presence: Presence::Default("\"1KiB\""),
            doc: "Shorter answers are left alone. What does not say how long it will be, is compressed.",
            example: "\"4KiB\"",
        },
        KeySpec {
            name: "types",
            kind: Kind::List { of: &Kind::Text(Format::MediaRange), may_be_empty: false },
            presence: Presence::Optional(
                "text, JSON, XML, JavaScript, WebAssembly, SVG, and fonts that are not compressed in themselves",
            ),
            doc: "The media types that are compressed.",
            example: "[\"text/*\", \"application/json\"]",
        },
        KeySpec {
            name: "level",
            kind: Kind::Table(&LEVELS),
            presence: Presence::Default("{}"),
            doc: "How hard each algorithm tries.",
            example: "{ gzip = 4 }",
        },
    ]],
    one_of: &[],
};

static LEVELS: TableSpec = TableSpec {
    id: "compress-level",
    heading: "level = { zstd, br, gzip }",
    doc: "How hard each algorithm tries: 1 is the quickest, 9 gives the smallest answers.",
    groups: &[&[
        KeySpec {
            name: "zstd",
            kind: LEVEL,
            presence: Presence::Default("3"),
            doc: "The level of zstd.",
            example: "5",
        },
        KeySpec {
            name: "br",
            kind: LEVEL,
            presence: Presence::Default("4"),
            doc: "The quality of brotli.",
            example: "5",
        },
        KeySpec {
            name: "gzip",
            kind: LEVEL,
            presence: Presence::Default("6"),
            doc: "The level of gzip.",
            example: "4",
        },
    ]],
    one_of: &[],
};
