//! `[limit.NAME]`, and `bandwidth`.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

/// What a limit may be: of requests in a time, or at one time.
pub(super) static LIMITS: [&TableSpec; 2] = [&LIMIT, &CONCURRENCY];

static LIMIT: TableSpec = TableSpec {
    id: "limit",
    heading: "[limit.NAME]",
    doc: "A limit of requests in a time. It does nothing until `limit` names it on the server, a site or a route; requests of all places that name it are counted together.",
    groups: &[RATE, COUNTED],
    one_of: &[],
};

static CONCURRENCY: TableSpec = TableSpec {
    id: "concurrency-limit",
    heading: "[limit.NAME] with concurrent",
    doc: "A limit of requests at one time. It is named and shared like one of requests in a time.",
    groups: &[CONCURRENT, COUNTED],
    one_of: &[],
};

const COUNTING: Kind = Kind::Choice(&["apart", "together", "skip"]);

const RATE: &[KeySpec] = &[
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
        name: "websockets",
        kind: COUNTING,
        presence: Presence::Default("\"apart\""),
        doc: "How the requests that open WebSockets count: with an allowance of their own, together with all others, or not at all. What is said over a WebSocket never counts.",
        example: "\"together\"",
    },
];

const CONCURRENT: &[KeySpec] = &[
    KeySpec {
        name: "concurrent",
        kind: Kind::Count { most: u32::MAX },
        presence: Presence::Required("add for instance concurrent = 10"),
        doc: "How many requests of a client may be served at one time.",
        example: "10",
    },
    KeySpec {
        name: "websockets",
        kind: COUNTING,
        presence: Presence::Default("\"skip\""),
        doc: "How open WebSockets count: with `\"skip\"` one counts until it is open, otherwise until it is closed, with others of its kind or together with all requests.",
        example: "\"apart\"",
    },
];

/// What every limit has.
const COUNTED: &[KeySpec] = &[
    KeySpec {
        name: "key",
        kind: Kind::Either(&[
            Kind::Choice(&["client_ip"]),
            Kind::Variants { tag: None, tables: &[&HEADER, &COOKIE] },
        ]),
        presence: Presence::Default("\"client_ip\""),
        doc: "What requests are counted together: those of one client address (IPv6 by its /64), or those with one value of a header or a cookie. A request without that value, or with two, counts for its client's address.",
        example: "{ header = \"X-Api-Key\" }",
    },
    KeySpec {
        name: "assets",
        kind: COUNTING,
        presence: Presence::Default("\"apart\""),
        doc: "How GET requests for assets count: with an allowance of their own, together with all others, or not at all.",
        example: "\"together\"",
    },
    KeySpec {
        name: "asset_suffixes",
        kind: Kind::List { of: &Kind::Text(Format::Ending), may_be_empty: true },
        presence: Presence::Default(ASSETS),
        doc: "How the path of an asset ends.",
        example: "[\".js\", \".css\"]",
    },
    KeySpec {
        name: "dry_run",
        kind: Kind::Bool,
        presence: Presence::Default("false"),
        doc: "Serves what is over the limit all the same; the access log and the metrics say that it was.",
        example: "true",
    },
];

/// What pages load, by the ending of its name.
const ASSETS: &str = r#"[".js", ".mjs", ".css", ".map", ".wasm", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico", ".woff", ".woff2", ".ttf", ".otf"]"#;

static HEADER: TableSpec = TableSpec {
    id: "header-key",
    heading: "key = { header }",
    doc: "Requests with one value of a header are counted together.",
    groups: &[&[KeySpec {
        name: "header",
        kind: Kind::Text(Format::HeaderName),
        presence: Presence::Required("add for instance header = \"X-Api-Key\""),
        doc: "The header's name. Whoever may choose its value may choose its allowance: let the upstream know the values, and limit by address too.",
        example: "\"X-Api-Key\"",
    }]],
    one_of: &[],
};

static COOKIE: TableSpec = TableSpec {
    id: "cookie-key",
    heading: "key = { cookie }",
    doc: "Requests with one value of a cookie are counted together.",
    groups: &[&[KeySpec {
        name: "cookie",
        kind: Kind::Text(Format::CookieName),
        presence: Presence::Required("add for instance cookie = \"session\""),
        doc: "The cookie's name.",
        example: "\"session\"",
    }]],
    one_of: &[],
};

pub(super) static BANDWIDTH: TableSpec = TableSpec {
    id: "bandwidth",
    heading: "bandwidth = { rate, burst }",
    doc: "How fast each answer is sent.",
    groups: &[&[
        KeySpec {
            name: "rate",
            kind: Kind::Text(Format::Bandwidth),
            presence: Presence::Required("add for instance rate = \"1MiB/s\""),
            doc: "So many bytes a second.",
            example: "\"1MiB/s\"",
        },
        KeySpec {
            name: "burst",
            kind: Kind::Text(Format::Size),
            presence: Presence::Optional("as much as goes in a second"),
            doc: "So much goes out at once before the rate counts.",
            example: "\"4MiB\"",
        },
    ]],
    one_of: &[],
};
