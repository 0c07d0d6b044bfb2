//! `[upstream.NAME]`.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(crate) static UPSTREAM: TableSpec = TableSpec {
    id: "upstream",
    heading: "[upstream.NAME]",
    doc: "Where requests are passed to, where a bare address in `to` is not enough.",
    groups: &[&[
        KeySpec {
            name: "servers",
            kind: Kind::List { of: &Kind::Text(Format::Server), may_be_empty: false },
            presence: Presence::Required("add for instance servers = [\"backend:8000\"]"),
            doc: "The servers, asked in turn: `host:port`, `unix:/path`, `https://host` or `h2c://host:port`, all of one protocol. Names are resolved again as DNS changes; the certificate of an `https://` server must be valid for its name.",
            example: "[\"backend-1:8000\", \"backend-2:8000\"]",
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
            doc: "Begins each connection with the PROXY protocol, so that a server which is not of HTTP knows the client's address. Such a connection is for one client, so that none is kept.",
            example: "\"v2\"",
        },
        KeySpec {
            name: "ca",
            kind: Kind::Text(Format::File),
            presence: Presence::Optional("the system's roots are trusted"),
            doc: "A PEM file of root certificates that `https://` servers are checked against.",
            example: "\"internal-ca.pem\"",
        },
    ]],
    one_of: &[],
};
