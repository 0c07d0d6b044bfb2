//! `[server]`.

use super::policy::POLICIES;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) static SERVER: TableSpec = TableSpec {
    id: "server",
    heading: "[server]",
    doc: "What belongs to the process and not to a site. The policies here apply to every route.",
    groups: &[LISTENERS, CLIENTS, PROCESS, POLICIES],
    one_of: &[],
};

const LISTENERS: &[KeySpec] = &[
    KeySpec {
        name: "http",
        kind: Kind::List { of: &Kind::Text(Format::Listen), may_be_empty: true },
        presence: Presence::Default("[\"[::]:80\"]"),
        doc: "Where plain HTTP is listened for: `/healthz`, and a redirect to https for everything else. An empty list turns it off.",
        example: "[\"0.0.0.0:8080\", \"[::]:8080\"]",
    },
    KeySpec {
        name: "https",
        kind: Kind::List { of: &Kind::Text(Format::Listen), may_be_empty: false },
        presence: Presence::Default("[\"[::]:443\"]"),
        doc: "Where TLS is listened for.",
        example: "[\"[::]:8443\"]",
    },
    KeySpec {
        name: "admin",
        kind: Kind::Text(Format::Admin),
        presence: Presence::Default("\"127.0.0.1:9180\""),
        doc: "Where `/livez`, `/readyz` and `/metrics` are served, or `\"off\"`. Never one of the public listeners.",
        example: "\"off\"",
    },
];

const CLIENTS: &[KeySpec] = &[
    KeySpec {
        name: "trusted_proxies",
        kind: Kind::List { of: &Kind::Text(Format::ProxySource), may_be_empty: true },
        presence: Presence::Default("[]"),
        doc: "The peers that are believed about the client's address: `\"cloudflare\"`, `\"private\"` (RFC 1918, loopback, IPv6 unique local), CIDR blocks or addresses. Everyone else's `X-Forwarded-*` is dropped.",
        example: "[\"cloudflare\", \"10.0.0.0/8\"]",
    },
    KeySpec {
        name: "proxy_protocol",
        kind: Kind::List { of: &Kind::Text(Format::Network), may_be_empty: true },
        presence: Presence::Default("[]"),
        doc: "Balancers in front of the gateway that begin each connection with the PROXY protocol, version 1 or 2, to say whose it is. A connection from these networks without it is refused; from everyone else it is not understood.",
        example: "[\"10.0.0.0/8\"]",
    },
    KeySpec {
        name: "unknown_host",
        kind: Kind::Either(&[
            Kind::Choice(&["close"]),
            Kind::Number { least: 404, most: 421, only: &[421, 404] },
        ]),
        presence: Presence::Default("\"close\""),
        doc: "What a client gets that asks for a host of no site: no answer at all, 421 or 404. A TLS handshake for such a host always fails.",
        example: "421",
    },
    KeySpec {
        name: "max_connections",
        kind: Kind::Count { most: 10_000_000 },
        presence: Presence::Default("10000"),
        doc: "How many connections from clients may be open in all.",
        example: "50000",
    },
    KeySpec {
        name: "max_connections_per_client",
        kind: Kind::Count { most: 10_000_000 },
        presence: Presence::Default("256"),
        doc: "How many connections one client address may hold, IPv6 by its /64. Trusted proxies are not counted.",
        example: "64",
    },
    KeySpec {
        name: "handshake",
        kind: Kind::Text(Format::Duration),
        presence: Presence::Default("\"10s\""),
        doc: "How long a TLS handshake may take.",
        example: "\"5s\"",
    },
    KeySpec {
        name: "header",
        kind: Kind::Text(Format::Duration),
        presence: Presence::Default("\"10s\""),
        doc: "How long a request's head may take from its first byte to its last.",
        example: "\"5s\"",
    },
    KeySpec {
        name: "keepalive",
        kind: Kind::Text(Format::Duration),
        presence: Presence::Default("\"75s\""),
        doc: "How long a connection may stay silent between two requests.",
        example: "\"30s\"",
    },
];

const PROCESS: &[KeySpec] = &[
    KeySpec {
        name: "drain",
        kind: Kind::Text(Format::DurationOrZero),
        presence: Presence::Default("\"30s\""),
        doc: "How long requests may go on after the gateway was asked to stop.",
        example: "\"1m\"",
    },
    KeySpec {
        name: "workers",
        kind: Kind::Count { most: 1024 },
        presence: Presence::Optional("one for each core"),
        doc: "How many worker threads serve requests.",
        example: "4",
    },
    KeySpec {
        name: "storage",
        kind: Kind::Text(Format::Folder),
        presence: Presence::Default("\"/var/lib/gateway\""),
        doc: "The folder for everything that is kept, such as the local CA. A relative path begins at the folder of the configuration file.",
        example: "\"state\"",
    },
    KeySpec {
        name: "access_log",
        kind: Kind::Choice(&["json", "combined", "off"]),
        presence: Presence::Default("\"json\""),
        doc: "The access log's format: one JSON object a request, the combined format of Apache and nginx, or none.",
        example: "\"combined\"",
    },
    KeySpec {
        name: "dns",
        kind: Kind::List { of: &Kind::Text(Format::Dns), may_be_empty: true },
        presence: Presence::Default("[]"),
        doc: "DNS servers that resolve the names of upstreams, port 53 where none is given. Empty: those of the system.",
        example: "[\"127.0.0.11\", \"1.1.1.1:53\"]",
    },
];
