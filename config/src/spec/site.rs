//! `[site."HOST"]`.

use super::acme::SITE_ACME;
use super::files::FILES;
use super::policy::POLICIES;
use super::route::ROUTE;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) static SITE: TableSpec = TableSpec {
    id: "site",
    heading: "[site.\"HOST\"]",
    doc: "A site: the hosts it answers to, its certificate, and its routes. The policies here apply to every route of the site.",
    groups: &[KEYS, POLICIES],
    one_of: &["routes", "redirect", "files"],
};

const KEYS: &[KeySpec] = &[
    KeySpec {
        name: "tls",
        kind: Kind::Either(&[
            Kind::Choice(&["acme", "self-signed"]),
            Kind::Variants { tag: None, tables: &[&CERTIFICATE, &SITE_ACME] },
            Kind::List { of: &Kind::Table(&CERTIFICATE), may_be_empty: false },
        ]),
        presence: Presence::Required(
            "choose tls = \"acme\" for a certificate that the gateway gets itself, tls = { cert = \"chain.pem\", key = \"key.pem\" } for one of yours, or tls = \"self-signed\" for one of the local CA",
        ),
        doc: "Where the certificate comes from: `\"acme\"` has one issued and renewed, as [acme] says or a table says for this site; PEM files (a list of pairs where RSA and ECDSA stand side by side); `\"self-signed\"` for a certificate of a local CA that is made at start.",
        example: "{ cert = \"example.com.pem\", key = \"example.com.key\" }",
    },
    KeySpec {
        name: "client_certs",
        kind: Kind::Table(&CLIENT_CERTS),
        presence: Presence::Optional("clients need no certificate"),
        doc: "Clients must show a certificate, or may.",
        example: "{ ca = \"clients.pem\" }",
    },
    KeySpec {
        name: "aliases",
        kind: Kind::List { of: &Kind::Text(Format::Host), may_be_empty: true },
        presence: Presence::Default("[]"),
        doc: "Further hosts that are served as this site.",
        example: "[\"www.example.com\", \"*.example.net\"]",
    },
    KeySpec {
        name: "redirect",
        kind: Kind::Text(Format::Url),
        presence: Presence::Optional("the site has `routes` or `files`"),
        doc: "Sends every request to this URL with 308, path and query kept; instead of `routes`.",
        example: "\"https://example.org\"",
    },
    KeySpec {
        name: "files",
        kind: FILES,
        presence: Presence::Optional("the site has `routes` or `redirect`"),
        doc: "Serves the files of a folder; instead of `routes`.",
        example: "\"dist\"",
    },
    KeySpec {
        name: "routes",
        kind: Kind::List { of: &Kind::Table(&ROUTE), may_be_empty: false },
        presence: Presence::Optional("the site has `redirect` or `files`"),
        doc: "The site's routes. The most specific path wins, whatever their order: exact, then the longest prefix.",
        example: "[{ path = \"/*\", to = \"frontend:3000\" }]",
    },
];

static CERTIFICATE: TableSpec = TableSpec {
    id: "certificate",
    heading: "tls = { cert, key }",
    doc: "A certificate chain and its key, both PEM files. Relative paths begin at the folder of the configuration file.",
    groups: &[&[
        KeySpec {
            name: "cert",
            kind: Kind::Text(Format::File),
            presence: Presence::Required(
                "add the file of the certificate chain: cert = \"chain.pem\"",
            ),
            doc: "The certificate chain, the site's own certificate first.",
            example: "\"example.com.pem\"",
        },
        KeySpec {
            name: "key",
            kind: Kind::Text(Format::File),
            presence: Presence::Required("add the file of the private key: key = \"key.pem\""),
            doc: "The private key: PKCS#8, PKCS#1 or SEC1.",
            example: "\"example.com.key\"",
        },
    ]],
    one_of: &[],
};

static CLIENT_CERTS: TableSpec = TableSpec {
    id: "client-certs",
    heading: "client_certs = { ca, crl, mode, header }",
    doc: "Certificates of clients, in TLS 1.3 and 1.2. The handshake fails for those who have none or a wrong one; nobody resumes a session on such a site.",
    groups: &[&[
        KeySpec {
            name: "ca",
            kind: Kind::Text(Format::File),
            presence: Presence::Required(
                "add the file of the CA that issues them: ca = \"clients.pem\"",
            ),
            doc: "A PEM file of the CAs that issue them.",
            example: "\"clients.pem\"",
        },
        KeySpec {
            name: "crl",
            kind: Kind::List { of: &Kind::Text(Format::File), may_be_empty: true },
            presence: Presence::Default("[]"),
            doc: "PEM files of revoked certificates (RFC 5280), one for each CA. With one, certificates of a CA that has none are refused, and all of them once its `nextUpdate` is past. They are read at start and at each reload.",
            example: "[\"clients.crl\"]",
        },
        KeySpec {
            name: "mode",
            kind: Kind::Choice(&["require", "optional"]),
            presence: Presence::Default("\"require\""),
            doc: "`\"optional\"` lets clients in that show none; a wrong one is refused all the same.",
            example: "\"optional\"",
        },
        KeySpec {
            name: "header",
            kind: Kind::Text(Format::HeaderName),
            presence: Presence::Optional("upstreams are not told"),
            doc: "The header that tells upstreams whom the certificate is made out to, as in `CN=alice, O=Example`. Nobody else can send it.",
            example: "\"X-Client-Subject\"",
        },
    ]],
    one_of: &[],
};
