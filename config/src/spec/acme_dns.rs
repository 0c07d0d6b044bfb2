//! `dns` of `[acme]`: a table for each provider.

use super::secret::SECRET;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) const DNS: Kind =
    Kind::Variants { tag: Some("provider"), tables: &[&RFC2136, &CLOUDFLARE, &EXEC] };

const CHOOSE: Presence =
    Presence::Required("write provider = \"rfc2136\", \"cloudflare\" or \"exec\"");

static RFC2136: TableSpec = TableSpec {
    id: "dns-rfc2136",
    heading: "dns = { provider = \"rfc2136\", server, key, algorithm, secret }",
    doc: "A name server that takes updates (RFC 2136) signed with TSIG (RFC 8945), such as BIND, Knot or PowerDNS.",
    groups: &[&[
        KeySpec {
            name: "provider",
            kind: Kind::Choice(&["rfc2136"]),
            presence: CHOOSE,
            doc: "Updates of a name server.",
            example: "\"rfc2136\"",
        },
        KeySpec {
            name: "server",
            kind: Kind::Text(Format::Dns),
            presence: Presence::Required(
                "add the address of the zone's primary server: server = \"192.0.2.53:53\"",
            ),
            doc: "The zone's primary name server, port 53 where none is given.",
            example: "\"192.0.2.53:53\"",
        },
        KeySpec {
            name: "key",
            kind: Kind::Text(Format::KeyName),
            presence: Presence::Required("add the name of the TSIG key: key = \"acme-key\""),
            doc: "The TSIG key's name, as the server knows it.",
            example: "\"acme-key\"",
        },
        KeySpec {
            name: "algorithm",
            kind: Kind::Choice(&["hmac-sha256", "hmac-sha384", "hmac-sha512"]),
            presence: Presence::Default("\"hmac-sha256\""),
            doc: "The TSIG key's algorithm.",
            example: "\"hmac-sha512\"",
        },
        KeySpec {
            name: "secret",
            kind: Kind::Table(&SECRET),
            presence: Presence::Required(
                "say where the TSIG key is: secret = { file = \"acme-key.b64\" }",
            ),
            doc: "The TSIG key, base64 as in BIND's configuration.",
            example: "{ file = \"acme-key.b64\" }",
        },
    ]],
    one_of: &[],
};

static CLOUDFLARE: TableSpec = TableSpec {
    id: "dns-cloudflare",
    heading: "dns = { provider = \"cloudflare\", token, api }",
    doc: "The API of Cloudflare.",
    groups: &[&[
        KeySpec {
            name: "provider",
            kind: Kind::Choice(&["cloudflare"]),
            presence: CHOOSE,
            doc: "Cloudflare.",
            example: "\"cloudflare\"",
        },
        KeySpec {
            name: "token",
            kind: Kind::Table(&SECRET),
            presence: Presence::Required(
                "say where the API token is: token = { env = \"CF_TOKEN\" }",
            ),
            doc: "An API token with the permissions Zone / Zone / Read and Zone / DNS / Edit for the zone.",
            example: "{ env = \"CF_TOKEN\" }",
        },
        KeySpec {
            name: "api",
            kind: Kind::Text(Format::Api),
            presence: Presence::Default("\"https://api.cloudflare.com/client/v4\""),
            doc: "Where the API is, for mirrors and tests. `http://` only for this machine.",
            example: "\"http://127.0.0.1:8787/client/v4\"",
        },
    ]],
    one_of: &[],
};

static EXEC: TableSpec = TableSpec {
    id: "dns-exec",
    heading: "dns = { provider = \"exec\", command }",
    doc: "A program of yours, called as `COMMAND… set NAME VALUE` and `COMMAND… remove NAME VALUE`.",
    groups: &[&[
        KeySpec {
            name: "provider",
            kind: Kind::Choice(&["exec"]),
            presence: CHOOSE,
            doc: "A program.",
            example: "\"exec\"",
        },
        KeySpec {
            name: "command",
            kind: Kind::List { of: &Kind::Text(Format::Argument), may_be_empty: false },
            presence: Presence::Required(
                "add the program and its first arguments: command = [\"/usr/local/bin/dns-hook\"]",
            ),
            doc: "The program and its first arguments. No shell is involved.",
            example: "[\"/usr/local/bin/dns-hook\", \"--zone\", \"example.com\"]",
        },
    ]],
    one_of: &[],
};
