//! What may stand on the server, a site or a route. Defaults are what a route gets where no level
//! says anything.

use super::auth::AUTH;
use super::cache_control::CACHE_CONTROL;
use super::compress::COMPRESS;
use super::cors::CORS;
use super::errors::{ERRORS, FORMATS, MAINTENANCE};
use super::limit::BANDWIDTH;
use super::webhook::WEBHOOK;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

const PRESETS: Kind = Kind::Choice(&["app", "api", "grafana", "off"]);

pub(crate) const POLICIES: &[KeySpec] = &[
    KeySpec {
        name: "headers",
        kind: Kind::Either(&[PRESETS, Kind::Table(&HEADERS)]),
        presence: Presence::Optional("headers that break no application"),
        doc: "Response headers: a preset, or a table that adds to one. The nearest preset wins; `set`, `default` and `remove` of server, site and route add up, and the nearest wins for one header.",
        example: "\"app\"",
    },
    KeySpec {
        name: "limit",
        kind: Kind::Either(&[
            Kind::Text(Format::LimitName),
            Kind::List { of: &Kind::Text(Format::LimitName), may_be_empty: true },
        ]),
        presence: Presence::Optional("no limit"),
        doc: "The limits that a request must pass, by name. The nearest level that names any decides; an empty list is none.",
        example: "\"api\"",
    },
    KeySpec {
        name: "allow",
        kind: Kind::List { of: &Kind::Text(Format::Network), may_be_empty: false },
        presence: Presence::Optional("everyone"),
        doc: "Only clients from these networks may come in; everyone else gets 403. Every level that says something must agree.",
        example: "[\"127.0.0.1\", \"172.20.0.0/16\"]",
    },
    KeySpec {
        name: "deny",
        kind: Kind::List { of: &Kind::Text(Format::Network), may_be_empty: true },
        presence: Presence::Optional("no one"),
        doc: "Clients from these networks get 403, even where `allow` names them.",
        example: "[\"192.0.2.0/24\"]",
    },
    KeySpec {
        name: "deny_paths",
        kind: Kind::Either(&[
            Kind::Bool,
            Kind::List { of: &Kind::Text(Format::Suffix), may_be_empty: false },
        ]),
        presence: Presence::Default("true"),
        doc: "Refuses files that were never meant to be served: everything with a dot in front but `/.well-known`, and `*.env`, `*.log`, `*.sql`, `*.bak`. A list adds to these, `false` turns them off.",
        example: "[\"*.old\", \"*.swp\"]",
    },
    KeySpec {
        name: "bandwidth",
        kind: Kind::Either(&[Kind::Text(Format::Bandwidth), Kind::Table(&BANDWIDTH)]),
        presence: Presence::Optional("as fast as it goes"),
        doc: "How fast each answer of an upstream and each file is sent. What is said over a WebSocket is not slowed down.",
        example: "\"1MiB/s\"",
    },
    KeySpec {
        name: "body",
        kind: Kind::Text(Format::Size),
        presence: Presence::Default("\"10MiB\""),
        doc: "The largest request body; a larger one gets 413.",
        example: "\"1GiB\"",
    },
    CORS,
    CACHE_CONTROL,
    COMPRESS,
    KeySpec {
        name: "idle",
        kind: Kind::Text(Format::Duration),
        presence: Presence::Optional("a time that suits requests, streams and WebSockets each"),
        doc: "How long a connection may stay silent in the middle of a body, a stream or a WebSocket.",
        example: "\"24h\"",
    },
    KeySpec {
        name: "maintenance",
        kind: Kind::Either(&[Kind::Bool, Kind::Table(&MAINTENANCE)]),
        presence: Presence::Default("false"),
        doc: "Answers 503 with `Retry-After` while the service is being worked on. The nearest level that says something decides.",
        example: "{ allow = [\"203.0.113.0/24\"], retry_after = \"30m\" }",
    },
    KeySpec {
        name: "errors",
        kind: Kind::Either(&[FORMATS, Kind::Table(&ERRORS)]),
        presence: Presence::Optional("HTML, JSON or plain text, as the client asks"),
        doc: "What clients are told when a request fails: a form, or a table with pages of your own. Pages of server, site and route add up, and the nearest wins for one status.",
        example: "{ 404 = \"errors/404.html\", 5xx = \"errors/50x.html\" }",
    },
    KeySpec {
        name: "auth",
        kind: AUTH,
        presence: Presence::Optional("nobody is asked"),
        doc: "Who may come in, by password, by another service's word or by a token. The nearest level that says something decides; `\"off\"` asks nobody.",
        example: "{ basic = { file = \"htpasswd\" } }",
    },
    KeySpec {
        name: "webhook",
        kind: WEBHOOK,
        presence: Presence::Optional("anyone may post"),
        doc: "Deliveries of a webhook, which must be signed. The nearest level that says something decides; `\"off\"` is none.",
        example: "{ provider = \"github\", secrets = [{ env = \"GITHUB_WEBHOOK_SECRET\" }] }",
    },
    KeySpec {
        name: "forwarded",
        kind: Kind::Bool,
        presence: Presence::Default("false"),
        doc: "Whether upstreams are told about the client in `Forwarded` (RFC 7239) too, besides `X-Forwarded-*`.",
        example: "true",
    },
    KeySpec {
        name: "log",
        kind: Kind::Bool,
        presence: Presence::Default("true"),
        doc: "Whether requests are written to the access log.",
        example: "false",
    },
];

static HEADERS: TableSpec = TableSpec {
    id: "headers",
    heading: "headers = { preset, set, default, remove }",
    doc: "Response headers, added to a preset and to what server and site say. Never two of the same name.",
    groups: &[&[
        KeySpec {
            name: "preset",
            kind: PRESETS,
            presence: Presence::Optional("the preset of the next level outwards"),
            doc: "`app` for a web application, `api` for what no browser should render, `grafana`, or `off` for none.",
            example: "\"app\"",
        },
        KeySpec {
            name: "set",
            kind: Kind::Headers,
            presence: Presence::Default("{}"),
            doc: "Headers that replace whatever the upstream said.",
            example: "{ X-Frame-Options = \"DENY\" }",
        },
        KeySpec {
            name: "default",
            kind: Kind::Headers,
            presence: Presence::Default("{}"),
            doc: "Headers that are added only where the upstream said nothing.",
            example: "{ Cache-Control = \"no-store\" }",
        },
        KeySpec {
            name: "remove",
            kind: Kind::List { of: &Kind::Text(Format::HeaderName), may_be_empty: true },
            presence: Presence::Default("[]"),
            doc: "Headers that are dropped, whoever set them.",
            example: "[\"X-Runtime\"]",
        },
    ]],
    one_of: &[],
};
