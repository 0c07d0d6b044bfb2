//! `[upstream.NAME]`.

use super::balance::{BALANCE_HASH, BALANCE_STICKY, FAIL, QUEUE, SERVER_ENTRY};
use super::health::HEALTH;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(crate) static UPSTREAM: TableSpec = TableSpec {
    id: "upstream",
    heading: "[upstream.NAME]",
    doc: "Where requests are passed to, where a bare address in `to` is not enough.",
    groups: &[SERVERS, BALANCING, TLS],
    one_of: &[],
};

const SERVERS: &[KeySpec] = &[
    KeySpec {
        name: "servers",
        kind: Kind::List {
            of: &Kind::Either(&[Kind::Text(Format::Server), Kind::Table(&SERVER_ENTRY)]),
            may_be_empty: false,
        },
        presence: Presence::Required("add for instance servers = [\"backend:8000\"]"),
        doc: "The servers: `host:port`, `unix:/path`, `https://host` or `h2c://host:port`, all of one protocol, or a table with a weight. Names are resolved again as DNS changes, and each of a name's addresses is a server of its own; the certificate of an `https://` server must be valid for its name.",
        example: "[\"backend-1:8000\", { to = \"backend-2:8000\", weight = 2 }]",
    },
    KeySpec {
        name: "connect",
        kind: Kind::Text(Format::Duration),
        presence: Presence::Default("\"5s\""),
        doc: "How long a connection may take to be made, TLS included.",
        example: "\"2s\"",
    },
    KeySpec {
        name: "first_byte",
        kind: Kind::Text(Format::Duration),
        presence: Presence::Default("\"60s\""),
        doc: "How long the first byte of the answer may take after the request was sent.",
        example: "\"30s\"",
    },
    KeySpec {
        name: "proxy_protocol",
        kind: Kind::Choice(&["v1", "v2"]),
        presence: Presence::Optional("the client is named by `X-Forwarded-For` alone"),
        doc: "Begins each connection with the PROXY protocol, for servers that want to be told the client's address so; its port is not told. A connection is for one request then.",
        example: "\"v2\"",
    },
];

const BALANCING: &[KeySpec] = &[
    KeySpec {
        name: "balance",
        kind: Kind::Either(&[
            Kind::Choice(&["round_robin", "least_connections"]),
            Kind::Variants { tag: None, tables: &[&BALANCE_HASH, &BALANCE_STICKY] },
        ]),
        presence: Presence::Default("\"round_robin\""),
        doc: "Which server a request goes to: one after the other, the one with the fewest requests under way, the one that a hash says, or the one of a cookie.",
        example: "{ hash = \"client_ip\" }",
    },
    KeySpec {
        name: "fail",
        kind: Kind::Either(&[Kind::Bool, Kind::Table(&FAIL)]),
        presence: Presence::Default("{ max = 3, within = \"30s\" }"),
        doc: "When a server that requests fail on is left out: after so many failures in a row (no connection, none in time, no answer, none in time, an answer that is not HTTP) for as long as `within`, and then until a request succeeds. An only server is never left out, and where all are, all are tried. `false` turns it off.",
        example: "{ max = 5, within = \"1m\" }",
    },
    KeySpec {
        name: "health",
        kind: Kind::Table(&HEALTH),
        presence: Presence::Optional("servers are not asked how they are"),
        doc: "Asks every server again and again whether it is well, and leaves those out that are not.",
        example: "{ path = \"/health\", every = \"5s\", unhealthy_after = 3 }",
    },
    KeySpec {
        name: "retries",
        kind: Kind::Number { least: 0, most: 10, only: &[] },
        presence: Presence::Default("3"),
        doc: "How often a request may be tried once more, on another server where there is one: whatever its method where no server has seen it, and where the connection ended before an answer only if its method is idempotent and its body, if it has one, is no longer than 64 KiB. All retries together stay below a fifth of an upstream's requests, or ten a second where that is more.",
        example: "1",
    },
    KeySpec {
        name: "slow_start",
        kind: Kind::Text(Format::Duration),
        presence: Presence::Optional(
            "a server that comes or comes back has its whole share at once",
        ),
        doc: "How long it takes until a server that was left out, or an address that a name has got, has its whole share of requests; it begins with a tenth. A hash or a cookie is followed at once.",
        example: "\"30s\"",
    },
    KeySpec {
        name: "max_requests",
        kind: Kind::Count { most: 1_000_000 },
        presence: Presence::Optional("there is no cap"),
        doc: "How many requests, WebSockets included, each server may have at once. Past it the others are asked, and where none has room, the request waits in the `queue` or gets 503 with `Retry-After`.",
        example: "100",
    },
    KeySpec {
        name: "queue",
        kind: Kind::Table(&QUEUE),
        presence: Presence::Optional("requests do not wait for room"),
        doc: "Where requests wait for a server with room, next to `max_requests`.",
        example: "{ max = 200, wait = \"2s\" }",
    },
];

const TLS: &[KeySpec] = &[
    KeySpec {
        name: "ca",
        kind: Kind::Text(Format::File),
        presence: Presence::Optional("the system's roots are trusted"),
        doc: "A PEM file of root certificates that `https://` servers are checked against.",
        example: "\"internal-ca.pem\"",
    },
    KeySpec {
        name: "sni",
        kind: Kind::Text(Format::Host),
        presence: Presence::Optional("each server's own name"),
        doc: "The name that `https://` servers are asked for (SNI) and that their certificates must be valid for.",
        example: "\"backend.internal\"",
    },
    KeySpec {
        name: "client_cert",
        kind: Kind::Table(&CLIENT_CERT),
        presence: Presence::Optional("none is shown"),
        doc: "The certificate that the gateway shows to `https://` servers which ask for one.",
        example: "{ cert = \"client.pem\", key = \"client.key\" }",
    },
];

static CLIENT_CERT: TableSpec = TableSpec {
    id: "client-cert",
    heading: "client_cert = { … }",
    doc: "A client certificate and its key, both PEM files. Relative paths begin at the folder of the configuration file.",
    groups: &[&[
        KeySpec {
            name: "cert",
            kind: Kind::Text(Format::File),
            presence: Presence::Required(
                "add the file of the certificate chain: cert = \"client.pem\"",
            ),
            doc: "The certificate chain, the client's own certificate first.",
            example: "\"client.pem\"",
        },
        KeySpec {
            name: "key",
            kind: Kind::Text(Format::File),
            presence: Presence::Required("add the file of the private key: key = \"client.key\""),
            doc: "The private key: PKCS#8, PKCS#1 or SEC1.",
            example: "\"client.key\"",
        },
    ]],
    one_of: &[],
};
