//! `[acme]`, and what a site may say about its certificates by ACME.

use super::acme_dns::DNS;
use super::secret::SECRET;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) static ACME: TableSpec = TableSpec {
    id: "acme",
    heading: "[acme]",
    doc: "How certificates come by ACME (RFC 8555) for the sites with tls = \"acme\". Without it: from Let's Encrypt, without a contact.",
    groups: &[KEYS, CERTIFICATE],
    one_of: &[],
};

const DIRECTORY_NAME: Kind = Kind::Text(Format::Directory);

const KEYS: &[KeySpec] = &[
    KeySpec {
        name: "contact",
        kind: Kind::List { of: &Kind::Text(Format::Contact), may_be_empty: true },
        presence: Presence::Default("[]"),
        doc: "Where the CA may write to: `mailto:` URLs with one address each.",
        example: "[\"mailto:ops@example.com\"]",
    },
    KeySpec {
        name: "directory",
        kind: Kind::Either(&[
            DIRECTORY_NAME,
            Kind::Table(&DIRECTORY),
            Kind::List {
                of: &Kind::Either(&[DIRECTORY_NAME, Kind::Table(&DIRECTORY)]),
                may_be_empty: false,
            },
        ]),
        presence: Presence::Default("\"letsencrypt\""),
        doc: "The CA: `\"letsencrypt\"`, `\"letsencrypt-staging\"`, `\"zerossl\"`, `\"google\"`, or the https URL of another one's directory; a table where it wants more. Of a list the next is asked where one fails for long; no two are the same CA.",
        example: "[\"letsencrypt\", { ca = \"zerossl\", eab = { key_id = \"kid-1\", key = { file = \"eab.key\" } } }]",
    },
    KeySpec {
        name: "ca",
        kind: Kind::Text(Format::File),
        presence: Presence::Optional("the system's roots are trusted"),
        doc: "A PEM file of roots that are trusted too when a directory without `roots` of its own is asked.",
        example: "\"internal-ca.pem\"",
    },
    KeySpec {
        name: "challenges",
        kind: Kind::List {
            of: &Kind::Choice(&["http-01", "tls-alpn-01", "dns-01"]),
            may_be_empty: false,
        },
        presence: Presence::Optional("those that listeners and `dns` make possible"),
        doc: "The challenges that may be used, the most wanted first. Wildcards take `dns-01`, addresses one of the others.",
        example: "[\"tls-alpn-01\", \"http-01\"]",
    },
    KeySpec {
        name: "dns",
        kind: DNS,
        presence: Presence::Optional("no `dns-01`, and so no wildcards"),
        doc: "Who changes DNS records for `dns-01`.",
        example: "{ provider = \"cloudflare\", token = { env = \"CF_TOKEN\" } }",
    },
];

/// What `[acme]` says for every site, and a site for itself. Defaults are what counts where neither
/// says anything.
const CERTIFICATE: &[KeySpec] = &[
    KeySpec {
        name: "profile",
        kind: Kind::Text(Format::Word),
        presence: Presence::Optional("the CA chooses"),
        doc: "The profile to ask the CA for. Let's Encrypt has `classic`, `tlsserver` and `shortlived`.",
        example: "\"shortlived\"",
    },
    KeySpec {
        name: "keys",
        kind: Kind::Choice(&["ecdsa", "rsa", "both"]),
        presence: Presence::Default("\"ecdsa\""),
        doc: "The certificates' keys: ECDSA P-256, RSA 2048 for very old clients, or a certificate of each.",
        example: "\"both\"",
    },
    KeySpec {
        name: "certificate_per",
        kind: Kind::Choice(&["site", "host"]),
        presence: Presence::Default("\"site\""),
        doc: "Whether a site's hosts share one certificate, or each has its own.",
        example: "\"host\"",
    },
];

static DIRECTORY: TableSpec = TableSpec {
    id: "acme-directory",
    heading: "directory = { ca, eab, roots }",
    doc: "A CA with everything said.",
    groups: &[&[
        KeySpec {
            name: "ca",
            kind: DIRECTORY_NAME,
            presence: Presence::Required(
                "add the CA's name or the URL of its directory: ca = \"zerossl\"",
            ),
            doc: "The CA, by name or URL.",
            example: "\"https://acme.example.com/directory\"",
        },
        KeySpec {
            name: "eab",
            kind: Kind::Table(&EAB),
            presence: Presence::Optional("the account stands alone"),
            doc: "The account at the CA that the gateway's is bound to (RFC 8555 section 7.3.4). ZeroSSL and Google want one, Let's Encrypt has none.",
            example: "{ key_id = \"kid-1\", key = { env = \"EAB_KEY\" } }",
        },
        KeySpec {
            name: "roots",
            kind: Kind::Text(Format::File),
            presence: Presence::Optional("`ca` of [acme], and the system's roots"),
            doc: "A PEM file of roots that are trusted too when this directory is asked.",
            example: "\"internal-ca.pem\"",
        },
    ]],
    one_of: &[],
};

static EAB: TableSpec = TableSpec {
    id: "acme-eab",
    heading: "eab = { key_id, key }",
    doc: "External account binding, as the CA gave it.",
    groups: &[&[
        KeySpec {
            name: "key_id",
            kind: Kind::Text(Format::Word),
            presence: Presence::Required("add the key's id that the CA gave: key_id = \"…\""),
            doc: "The key's id.",
            example: "\"kid-1\"",
        },
        KeySpec {
            name: "key",
            kind: Kind::Table(&SECRET),
            presence: Presence::Required(
                "say where the HMAC key is that the CA gave: key = { file = \"…\" }",
            ),
            doc: "The HMAC key, base64url as the CA gave it.",
            example: "{ file = \"eab.key\" }",
        },
    ]],
    one_of: &[],
};

pub(super) static SITE_ACME: TableSpec = TableSpec {
    id: "tls-acme",
    heading: "tls = { acme }",
    doc: "A certificate by ACME for which something else counts than for the other sites. tls = \"acme\" where nothing does.",
    groups: &[&[KeySpec {
        name: "acme",
        kind: Kind::Table(&SITE_CERTIFICATE),
        presence: Presence::Required("write tls = \"acme\" where there is nothing more to say"),
        doc: "What is different for this site.",
        example: "{ keys = \"rsa\" }",
    }]],
    one_of: &[],
};

static SITE_CERTIFICATE: TableSpec = TableSpec {
    id: "site-acme",
    heading: "tls = { acme = { profile, keys, certificate_per } }",
    doc: "What is not said here is as in [acme].",
    groups: &[CERTIFICATE],
    one_of: &[],
};
