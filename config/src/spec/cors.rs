//! `cors`.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) const CORS: KeySpec = KeySpec {
    name: "cors",
    kind: Kind::Either(&[Kind::Bool, Kind::Table(&TABLE)]),
    presence: Presence::Optional("what the upstream says about other origins is passed on"),
    doc: "Which other origins may read the answers in a browser. Preflights are answered here, and what the upstream says in `Access-Control-*` is replaced. The nearest level decides; `false` takes away what outer levels said.",
    example: "{ origins = [\"https://app.example.com\"], credentials = true }",
};

static TABLE: TableSpec = TableSpec {
    id: "cors",
    heading: "cors = { origins, credentials, methods, headers, expose, max_age }",
    doc: "Which other origins may read the answers in a browser (WHATWG Fetch). Other clients are not bound by it: it is no access control.",
    groups: &[&[
        KeySpec {
            name: "origins",
            kind: Kind::List { of: &Kind::Text(Format::Origin), may_be_empty: false },
            presence: Presence::Required(
                "name the origins that may read the answers: origins = [\"https://app.example.com\"]",
            ),
            doc: "The origins: scheme and host, and the port where it is not the scheme's own. `\"https://*.example.com\"` is every host with one label in front, `\"*\"` every origin.",
            example: "[\"https://app.example.com\"]",
        },
        KeySpec {
            name: "credentials",
            kind: Kind::Bool,
            presence: Presence::Default("false"),
            doc: "Whether requests may carry cookies. Not with `\"*\"`.",
            example: "true",
        },
        KeySpec {
            name: "methods",
            kind: Kind::List { of: &Kind::Text(Format::Method), may_be_empty: false },
            presence: Presence::Default(
                "[\"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"]",
            ),
            doc: "The methods that a preflight may ask for.",
            example: "[\"GET\", \"POST\"]",
        },
        KeySpec {
            name: "headers",
            kind: Kind::List { of: &Kind::Text(Format::CorsHeader), may_be_empty: true },
            presence: Presence::Optional("every header that is asked for"),
            doc: "The request headers that a preflight may ask for.",
            example: "[\"Content-Type\", \"Authorization\"]",
        },
        KeySpec {
            name: "expose",
            kind: Kind::List { of: &Kind::Text(Format::CorsHeader), may_be_empty: true },
            presence: Presence::Default("[]"),
            doc: "The response headers that scripts may read, besides the few that they always may.",
            example: "[\"X-Request-Id\", \"RateLimit\"]",
        },
        KeySpec {
            name: "max_age",
            kind: Kind::Text(Format::Duration),
            presence: Presence::Optional("browsers remember it for 5 seconds"),
            doc: "How long a browser may remember a preflight's answer. Chromium takes no more than 2 hours, Firefox no more than 24.",
            example: "\"24h\"",
        },
    ]],
    one_of: &[],
};
