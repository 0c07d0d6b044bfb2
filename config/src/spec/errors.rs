//! `errors` and `maintenance`.

use super::{Format, KeySpec, Kind, Presence, STATUS, TableSpec};

pub(super) const FORMATS: Kind = Kind::Choice(&["auto", "json"]);

pub(super) static ERRORS: TableSpec = TableSpec {
    id: "errors",
    heading: "errors = { STATUS, format, intercept }",
    doc: "What clients are told when a request fails: pages of your own, by status, and the form of all others.",
    groups: &[&[
        KeySpec {
            name: STATUS,
            kind: Kind::Text(Format::Page),
            presence: Presence::Optional("the gateway's own page"),
            doc: "A file for a status (`404`) or for a class of them (`4xx`, `5xx`), in the place of the key's name: `.html`, `.json` or `.txt`, at most 256 KiB, read at start. `{{request_id}}` in it becomes the request's id, `{{status}}` the status. The exact status wins over its class. A client that asks for another form than the file's gets the gateway's own.",
            example: "\"errors/404.html\"",
        },
        KeySpec {
            name: "format",
            kind: FORMATS,
            presence: Presence::Optional(
                "`\"json\"` with the header preset `api`, otherwise `\"auto\"`",
            ),
            doc: "`\"auto\"` is what the client's `Accept` prefers: a small HTML page, JSON, or plain text. `\"json\"` is always JSON (RFC 9457).",
            example: "\"json\"",
        },
        KeySpec {
            name: "intercept",
            kind: Kind::Bool,
            presence: Presence::Default("false"),
            doc: "Whether the pages replace what the upstream sends with such a status too.",
            example: "true",
        },
    ]],
    one_of: &[],
};

pub(super) static MAINTENANCE: TableSpec = TableSpec {
    id: "maintenance",
    heading: "maintenance = { allow, retry_after, page }",
    doc: "503 for everybody but a few.",
    groups: &[&[
        KeySpec {
            name: "allow",
            kind: Kind::List { of: &Kind::Text(Format::Network), may_be_empty: true },
            presence: Presence::Default("[]"),
            doc: "Clients from these networks come in as usual, to see whether the work is done.",
            example: "[\"203.0.113.0/24\"]",
        },
        KeySpec {
            name: "retry_after",
            kind: Kind::Text(Format::Duration),
            presence: Presence::Default("\"5m\""),
            doc: "When clients should come back, for `Retry-After`; rounded up to seconds.",
            example: "\"30m\"",
        },
        KeySpec {
            name: "page",
            kind: Kind::Text(Format::Page),
            presence: Presence::Optional("the page for 503"),
            doc: "A page of your own, as in `errors`.",
            example: "\"maintenance.html\"",
        },
    ]],
    one_of: &[],
};
