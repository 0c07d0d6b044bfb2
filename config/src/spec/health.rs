//! `health` of `[upstream.NAME]`.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) static HEALTH: TableSpec = TableSpec {
    id: "health",
    heading: "health = { … }",
    doc: "How every server is asked whether it is well: by a GET, or by a connection alone. The first answer counts at once, later ones when enough of them agree.",
    groups: &[&[
        KeySpec {
            name: "path",
            kind: Kind::Text(Format::PathPrefix),
            presence: Presence::Optional("`tcp` says that a connection is enough"),
            doc: "The path, with its query, that a GET asks for.",
            example: "\"/health\"",
        },
        KeySpec {
            name: "tcp",
            kind: Kind::Bool,
            presence: Presence::Optional("`path` is asked for"),
            doc: "A server is well that takes a connection (and ends its TLS handshake, where it is `https://`).",
            example: "true",
        },
        KeySpec {
            name: "every",
            kind: Kind::Text(Format::Duration),
            presence: Presence::Default("\"5s\""),
            doc: "The time between two checks of one server, give or take a tenth by chance.",
            example: "\"10s\"",
        },
        KeySpec {
            name: "timeout",
            kind: Kind::Text(Format::Duration),
            presence: Presence::Default("\"2s\""),
            doc: "How long a check may take. Longer is a failure.",
            example: "\"1s\"",
        },
        KeySpec {
            name: "unhealthy_after",
            kind: Kind::Count { most: 100 },
            presence: Presence::Default("3"),
            doc: "How many failed checks in a row it takes to leave a server out.",
            example: "2",
        },
        KeySpec {
            name: "healthy_after",
            kind: Kind::Count { most: 100 },
            presence: Presence::Default("2"),
            doc: "How many passed checks in a row it takes to bring it back.",
            example: "1",
        },
        KeySpec {
            name: "status",
            kind: Kind::List {
                of: &Kind::Number { least: 200, most: 599, only: &[] },
                may_be_empty: false,
            },
            presence: Presence::Optional("every 2xx is a good answer"),
            doc: "The statuses of a healthy server.",
            example: "[200, 401]",
        },
        KeySpec {
            name: "host",
            kind: Kind::Text(Format::Host),
            presence: Presence::Optional("the server itself, as the file writes it"),
            doc: "The `Host` that is asked for.",
            example: "\"example.com\"",
        },
    ]],
    one_of: &["path", "tcp"],
};
