//! `[limit.NAME]`.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) static LIMIT: TableSpec = TableSpec {
    id: "limit",
    heading: "[limit.NAME]",
    doc: "A rate limit. It does nothing until `limit` names it on the server, a site or a route; requests of all places that name it are counted together.",
    groups: &[&[
        KeySpec {
            name: "rate",
            kind: Kind::Text(Format::Rate),
            presence: Presence::Required("add for instance rate = \"10/s\""),
            doc: "How many requests a client may make in the long run: a number and `/s`, `/min`, `/h` or `/d`.",
            example: "\"10/s\"",
        },
        KeySpec {
            name: "burst",
            kind: Kind::Count { most: u32::MAX },
            presence: Presence::Required("add for instance burst = 20"),
            doc: "How many requests are served at once before the rate counts. A page and everything it loads should fit in.",
            example: "20",
        },
        KeySpec {
            name: "key",
            kind: Kind::Choice(&["client_ip"]),
            presence: Presence::Default("\"client_ip\""),
            doc: "What requests are counted together: those of one client address, IPv6 by its /64.",
            example: "\"client_ip\"",
        },
    ]],
    one_of: &[],
};
