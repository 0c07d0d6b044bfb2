//! `cache_control`.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) const CACHE_CONTROL: KeySpec = KeySpec {
    name: "cache_control",
    kind: Kind::List { of: &Kind::Table(&TABLE), may_be_empty: true },
    presence: Presence::Optional("what the upstream says is passed on"),
    doc: "How long browsers and caches may keep files, by how the path ends. Only on answers with 200, 206 and 304, and only where the upstream says neither `Cache-Control` nor `Expires`. The nearest level that says something decides; an empty list is nothing.",
    example: "[{ suffixes = [\".js\", \".css\"], value = \"public, max-age=31536000, immutable\" }]",
};

static TABLE: TableSpec = TableSpec {
    id: "cache-control",
    heading: "cache_control = [{ suffixes, value }]",
    doc: "One kind of files, and how long they may be kept. The first entry that fits counts.",
    groups: &[&[
        KeySpec {
            name: "suffixes",
            kind: Kind::List { of: &Kind::Text(Format::Ending), may_be_empty: false },
            presence: Presence::Required("name the files: suffixes = [\".js\", \".css\"]"),
            doc: "How the paths end.",
            example: "[\".js\", \".css\", \".woff2\"]",
        },
        KeySpec {
            name: "value",
            kind: Kind::Text(Format::HeaderValue),
            presence: Presence::Required(
                "say what is sent, for instance value = \"public, max-age=31536000, immutable\"",
            ),
            doc: "The value of `Cache-Control`.",
            example: "\"public, max-age=3600\"",
        },
    ]],
    one_of: &[],
};
