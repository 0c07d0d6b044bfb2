//! The whole file.

use super::acme::ACME;
use super::limit::LIMITS;
use super::server::SERVER;
use super::site::SITE;
use super::upstream::UPSTREAM;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(crate) static ROOT: TableSpec = TableSpec {
    id: "gateway",
    heading: "the file",
    doc: "A configuration is one TOML 1.1 file, that file with others that it includes, or every `*.toml` of a folder. Unknown keys are errors.",
    groups: &[&[
        KeySpec {
            name: "include",
            kind: Kind::List { of: &Kind::Text(Format::Include), may_be_empty: true },
            presence: Presence::Default("[]"),
            doc: "Further files, by patterns that begin at the folder of this file; `*` is any part of a name. What they hold is added, and nothing may be defined in two of them. They cannot include others. Relative paths in them begin at their own folder.",
            example: "[\"sites/*.toml\"]",
        },
        KeySpec {
            name: "server",
            kind: Kind::Table(&SERVER),
            presence: Presence::Default("{}"),
            doc: "What belongs to the process and not to a site, and policies for every route.",
            example: "{ access_log = \"json\" }",
        },
        KeySpec {
            name: "acme",
            kind: Kind::Table(&ACME),
            presence: Presence::Default("{}"),
            doc: "How certificates come by ACME, for the sites with tls = \"acme\".",
            example: "{ contact = [\"mailto:ops@example.com\"] }",
        },
        KeySpec {
            name: "limit",
            kind: Kind::Named {
                name: Format::Name,
                of: &Kind::Variants { tag: None, tables: &LIMITS },
            },
            presence: Presence::Default("{}"),
            doc: "Limits of requests in a time or at one time, each with a name that `limit` can refer to.",
            example: "{ api = { rate = \"10/s\", burst = 20 } }",
        },
        KeySpec {
            name: "upstream",
            kind: Kind::Named { name: Format::Name, of: &Kind::Table(&UPSTREAM) },
            presence: Presence::Default("{}"),
            doc: "Groups of servers, each with a name that `to` can refer to.",
            example: "{ backend = { servers = [\"backend-1:8000\", \"backend-2:8000\"] } }",
        },
        KeySpec {
            name: "site",
            kind: Kind::Named { name: Format::Host, of: &Kind::Table(&SITE) },
            presence: Presence::Required(
                "add a table such as [site.\"example.com\"] with `tls` and `routes`",
            ),
            doc: "The sites, each named by its host: a name, `*.example.com` for one label in front, or `*` for every host that no other site claims.",
            example: "{ \"example.com\" = { tls = \"self-signed\", redirect = \"https://example.org\" } }",
        },
    ]],
    one_of: &[],
};
