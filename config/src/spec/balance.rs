//! The small tables of `[upstream.NAME]` that say how its servers share requests.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) static SERVER_ENTRY: TableSpec = TableSpec {
    id: "upstream-server",
    heading: "servers = [{ … }]",
    doc: "A server that is not like the others.",
    groups: &[&[
        KeySpec {
            name: "to",
            kind: Kind::Text(Format::Server),
            presence: Presence::Required("add the server: to = \"backend:8000\""),
            doc: "The server, as it would stand in the list alone.",
            example: "\"backend-2:8000\"",
        },
        KeySpec {
            name: "weight",
            kind: Kind::Count { most: 100 },
            presence: Presence::Default("1"),
            doc: "Its share of requests in proportion to the others'.",
            example: "2",
        },
        KeySpec {
            name: "backup",
            kind: Kind::Bool,
            presence: Presence::Default("false"),
            doc: "Whether it is asked only while no other server can be.",
            example: "true",
        },
    ]],
    one_of: &[],
};

pub(super) static BALANCE_HASH: TableSpec = TableSpec {
    id: "balance-hash",
    heading: "balance = { hash = … }",
    doc: "Requests with the same key go to the same server. A server that leaves moves only its own share to the others, and one that comes takes only its own share from them.",
    groups: &[&[KeySpec {
        name: "hash",
        kind: Kind::Either(&[
            Kind::Choice(&["client_ip", "path"]),
            Kind::Variants { tag: None, tables: &[&HASH_HEADER, &HASH_COOKIE] },
        ]),
        presence: Presence::Required("add for instance hash = \"client_ip\""),
        doc: "The key: the client's address (IPv6 by its /64), the path without its query, a header, or a cookie. Requests without that header or cookie go to one server after the other.",
        example: "\"path\"",
    }]],
    one_of: &[],
};

static HASH_HEADER: TableSpec = TableSpec {
    id: "hash-header",
    heading: "hash = { header }",
    doc: "The value of a header is the key.",
    groups: &[&[KeySpec {
        name: "header",
        kind: Kind::Text(Format::HeaderName),
        presence: Presence::Required("add for instance header = \"X-Tenant\""),
        doc: "The header's name.",
        example: "\"X-Tenant\"",
    }]],
    one_of: &[],
};

static HASH_COOKIE: TableSpec = TableSpec {
    id: "hash-cookie",
    heading: "hash = { cookie }",
    doc: "The value of a cookie is the key.",
    groups: &[&[KeySpec {
        name: "cookie",
        kind: Kind::Text(Format::Name),
        presence: Presence::Required("add for instance cookie = \"session\""),
        doc: "The cookie's name.",
        example: "\"session\"",
    }]],
    one_of: &[],
};

pub(super) static BALANCE_STICKY: TableSpec = TableSpec {
    id: "balance-sticky",
    heading: "balance = { sticky = … }",
    doc: "A client stays with the server that answered it first. The gateway sets a cookie for that (HttpOnly, Secure, SameSite=Lax) whose value says nothing about the server. A client whose server is not there gets another.",
    groups: &[&[KeySpec {
        name: "sticky",
        kind: Kind::Text(Format::Name),
        presence: Presence::Required("add for instance sticky = \"server\""),
        doc: "The cookie's name.",
        example: "\"__Host-server\"",
    }]],
    one_of: &[],
};

pub(super) static FAIL: TableSpec = TableSpec {
    id: "fail",
    heading: "fail = { … }",
    doc: "When a server that requests fail on is left out.",
    groups: &[&[
        KeySpec {
            name: "max",
            kind: Kind::Count { most: 1000 },
            presence: Presence::Default("3"),
            doc: "How many failures in a row are too many.",
            example: "5",
        },
        KeySpec {
            name: "within",
            kind: Kind::Text(Format::Duration),
            presence: Presence::Default("\"30s\""),
            doc: "The time in which they must fall. The server is left out for as long; then one request tries it.",
            example: "\"10s\"",
        },
    ]],
    one_of: &[],
};

pub(super) static QUEUE: TableSpec = TableSpec {
    id: "queue",
    heading: "queue = { … }",
    doc: "Where requests wait that no server has room for.",
    groups: &[&[
        KeySpec {
            name: "max",
            kind: Kind::Count { most: 100_000 },
            presence: Presence::Required("add for instance max = 100"),
            doc: "How many requests may wait at once. One more gets 503 with `Retry-After`.",
            example: "200",
        },
        KeySpec {
            name: "wait",
            kind: Kind::Text(Format::Duration),
            presence: Presence::Default("\"5s\""),
            doc: "How long each may wait. Then it gets 503 with `Retry-After`.",
            example: "\"2s\"",
        },
    ]],
    one_of: &[],
};
