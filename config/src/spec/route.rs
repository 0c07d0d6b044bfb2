//! One entry of `routes`.

use super::files::FILES;
use super::policy::POLICIES;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) static ROUTE: TableSpec = TableSpec {
    id: "route",
    heading: "routes = [{ path, … }]",
    doc: "A route: which paths it takes, the one thing it does with them (`to`, `respond`, `redirect` or `files`), and policies.",
    groups: &[KEYS, POLICIES],
    one_of: &["to", "respond", "redirect", "files"],
};

const KEYS: &[KeySpec] = &[
    KeySpec {
        name: "path",
        kind: Kind::Text(Format::Path),
        presence: Presence::Required(
            "add path = \"/*\" for every path, or \"/x/*\" for `/x` and everything below it",
        ),
        doc: "`\"/x\"` is exactly this path, `\"/x/*\"` is `/x` and everything below it, `\"/*\"` is all.",
        example: "\"/api/*\"",
    },
    KeySpec {
        name: "to",
        kind: Kind::Text(Format::Target),
        presence: Presence::Optional("the route has `respond`, `redirect` or `files`"),
        doc: "Passes the request on: to `host:port`, `unix:/path`, `https://host`, or to an upstream by its name. WebSockets and streams need no key.",
        example: "\"backend:8000\"",
    },
    KeySpec {
        name: "respond",
        kind: Kind::Table(&RESPOND),
        presence: Presence::Optional("the route has `to`, `redirect` or `files`"),
        doc: "Answers by itself.",
        example: "{ status = 200, body = \"ok\\n\" }",
    },
    KeySpec {
        name: "redirect",
        kind: Kind::Either(&[Kind::Text(Format::Location), Kind::Table(&REDIRECT)]),
        presence: Presence::Optional("the route has `to`, `respond` or `files`"),
        doc: "Sends the client elsewhere with 308, or as the table says.",
        example: "\"https://example.org/new\"",
    },
    KeySpec {
        name: "files",
        kind: FILES,
        presence: Presence::Optional("the route has `to`, `respond` or `redirect`"),
        doc: "Serves the files of a folder: what the route's `*` matched is looked for below it, and for an exact path the whole path.",
        example: "\"dist\"",
    },
    KeySpec {
        name: "strip_prefix",
        kind: Kind::Either(&[Kind::Bool, Kind::Text(Format::PathPrefix)]),
        presence: Presence::Default("false"),
        doc: "Cuts this prefix off the path before it goes upstream; `true` is the prefix of the route's own `path`. Only with `to`.",
        example: "true",
    },
    KeySpec {
        name: "rewrite",
        kind: Kind::Text(Format::Rewrite),
        presence: Presence::Optional("the upstream sees the path that the client sent"),
        doc: "The path that goes upstream: `\"/new\"` always, or `\"/new/*\"` with what the route's `*` matched behind it. Only with `to`, and not with `strip_prefix`.",
        example: "\"/v2/*\"",
    },
];

static RESPOND: TableSpec = TableSpec {
    id: "respond",
    heading: "respond = { status, body, content_type }",
    doc: "A fixed answer.",
    groups: &[&[
        KeySpec {
            name: "status",
            kind: Kind::Number { least: 200, most: 599, only: &[] },
            presence: Presence::Required("add for instance status = 200"),
            doc: "The status.",
            example: "200",
        },
        KeySpec {
            name: "body",
            kind: Kind::Text(Format::Plain),
            presence: Presence::Default("\"\""),
            doc: "The body.",
            example: "\"ok\\n\"",
        },
        KeySpec {
            name: "content_type",
            kind: Kind::Text(Format::HeaderValue),
            presence: Presence::Default("\"text/plain; charset=utf-8\""),
            doc: "The `Content-Type`.",
            example: "\"application/json\"",
        },
    ]],
    one_of: &[],
};

static REDIRECT: TableSpec = TableSpec {
    id: "redirect",
    heading: "redirect = { to, status, keep_path }",
    doc: "A redirect with everything said.",
    groups: &[&[
        KeySpec {
            name: "to",
            kind: Kind::Text(Format::Location),
            presence: Presence::Required("add for instance to = \"https://example.org\""),
            doc: "An absolute `http` or `https` URL, or a path on the same host.",
            example: "\"https://example.org\"",
        },
        KeySpec {
            name: "status",
            kind: Kind::Number { least: 301, most: 308, only: &[301, 302, 303, 307, 308] },
            presence: Presence::Default("308"),
            doc: "301 and 308 are permanent, 302 and 307 are not; 307 and 308 keep the method. 303 always makes it GET.",
            example: "302",
        },
        KeySpec {
            name: "keep_path",
            kind: Kind::Bool,
            presence: Presence::Default("false"),
            doc: "Whether the request's path and query are appended.",
            example: "true",
        },
    ]],
    one_of: &[],
};
