//! `auth` of a server, site or route.

use super::{Format, KeySpec, Kind, Presence, TableSpec};
use crate::model::JwsAlgorithm;

pub(super) const AUTH: Kind = Kind::Either(&[Kind::Choice(&["off"]), Kind::Table(&AUTH_TABLE)]);

const ON_ERROR: Kind = Kind::Choice(&["deny", "allow"]);

static AUTH_TABLE: TableSpec = TableSpec {
    id: "auth",
    heading: "auth = { basic | forward | jwt }",
    doc: "Who may come in, by what they know or bring along.",
    groups: &[&[
        KeySpec {
            name: "basic",
            kind: Kind::Table(&BASIC),
            presence: Presence::Optional("there is `forward` or `jwt`"),
            doc: "A user's name and password.",
            example: "{ file = \"htpasswd\" }",
        },
        KeySpec {
            name: "forward",
            kind: Kind::Table(&FORWARD),
            presence: Presence::Optional("there is `basic` or `jwt`"),
            doc: "Another service decides, such as Authelia, Authentik or oauth2-proxy.",
            example: "{ to = \"authelia:9091\", path = \"/api/authz/forward-auth\" }",
        },
        KeySpec {
            name: "jwt",
            kind: Kind::Table(&JWT),
            presence: Presence::Optional("there is `basic` or `forward`"),
            doc: "A signed token (RFC 7519).",
            example: "{ jwks = \"https://id.example.com/jwks.json\", issuer = \"https://id.example.com\", audience = \"api\" }",
        },
    ]],
    one_of: &["basic", "forward", "jwt"],
};

static BASIC: TableSpec = TableSpec {
    id: "auth-basic",
    heading: "basic = { users, file, realm, user_header }",
    doc: "HTTP Basic authentication (RFC 7617). At least one of `users` and `file` is needed. The upstream is not told the password.",
    groups: &[&[
        KeySpec {
            name: "users",
            kind: Kind::Named { name: Format::User, of: &Kind::Text(Format::PasswordHash) },
            presence: Presence::Optional("there is a `file`"),
            doc: "Users, and hashes of their passwords by argon2 or bcrypt: `gateway hash-password` makes one. A password itself is an error.",
            example: "{ alice = \"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$1k1kUdKsj7LpWUgpA9S3NaYcG5TCqZiMqlD5lTfVRjc\" }",
        },
        KeySpec {
            name: "file",
            kind: Kind::Text(Format::File),
            presence: Presence::Optional("there are `users`"),
            doc: "A file of lines `user:hash`, as `htpasswd -B` writes it. It is read at start and at each reload.",
            example: "\"/run/secrets/htpasswd\"",
        },
        KeySpec {
            name: "realm",
            kind: Kind::Text(Format::HeaderValue),
            presence: Presence::Default("\"Restricted\""),
            doc: "What browsers call the place that they ask the password for.",
            example: "\"Staging\"",
        },
        KeySpec {
            name: "user_header",
            kind: Kind::Text(Format::HeaderName),
            presence: Presence::Optional("the upstream is not told"),
            doc: "The header that tells the upstream who it is. Nobody else can send it.",
            example: "\"Remote-User\"",
        },
    ]],
    one_of: &[],
};

static FORWARD: TableSpec = TableSpec {
    id: "auth-forward",
    heading: "forward = { to, path, copy_headers, timeout, on_error }",
    doc: "Each request is first shown to another service, its body apart: GET with `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and `-For` and the client's headers. On 2xx it goes on; any other answer is the client's.",
    groups: &[&[
        KeySpec {
            name: "to",
            kind: Kind::Text(Format::Target),
            presence: Presence::Required("add for instance to = \"authelia:9091\""),
            doc: "The service: an address or the name of an upstream.",
            example: "\"authelia:9091\"",
        },
        KeySpec {
            name: "path",
            kind: Kind::Text(Format::ServicePath),
            presence: Presence::Default("\"/\""),
            doc: "The path that is asked for, with a query where one is needed.",
            example: "\"/api/authz/forward-auth\"",
        },
        KeySpec {
            name: "copy_headers",
            kind: Kind::List { of: &Kind::Text(Format::HeaderName), may_be_empty: true },
            presence: Presence::Default("[]"),
            doc: "Headers of the 2xx that the upstream is told. Nobody else can send them.",
            example: "[\"Remote-User\", \"Remote-Groups\", \"Remote-Name\", \"Remote-Email\"]",
        },
        KeySpec {
            name: "timeout",
            kind: Kind::Text(Format::Duration),
            presence: Presence::Default("\"5s\""),
            doc: "How long the answer may take as a whole.",
            example: "\"2s\"",
        },
        KeySpec {
            name: "on_error",
            kind: ON_ERROR,
            presence: Presence::Default("\"deny\""),
            doc: "What happens while the service is down, slow or makes no sense (5xx): 503, or with `\"allow\"` everyone comes in.",
            example: "\"allow\"",
        },
    ]],
    one_of: &[],
};

static JWT: TableSpec = TableSpec {
    id: "auth-jwt",
    heading: "jwt = { jwks, issuer, audience, algorithms, … }",
    doc: "A token in `Authorization: Bearer` (RFC 6750), or in a cookie: signed by one of the issuer's keys, not expired, and for this audience. `none` and shared secrets are never taken.",
    groups: &[&[
        KeySpec {
            name: "jwks",
            kind: Kind::Text(Format::KeySet),
            presence: Presence::Required(
                "say where the issuer's keys are: jwks = \"https://id.example.com/jwks.json\"",
            ),
            doc: "The issuer's keys (RFC 7517): a URL, or a file. From a URL they are fetched when they are needed, kept as long as its `Cache-Control` allows (5 minutes to a day), fetched again for a key that is not known (every 10 seconds at most), and the last good ones stay in use while it fails.",
            example: "\"https://id.example.com/jwks.json\"",
        },
        KeySpec {
            name: "issuer",
            kind: Kind::Text(Format::Plain),
            presence: Presence::Required("add for instance issuer = \"https://id.example.com\""),
            doc: "What `iss` must be.",
            example: "\"https://id.example.com\"",
        },
        KeySpec {
            name: "audience",
            kind: Kind::Either(&[
                Kind::Text(Format::Plain),
                Kind::List { of: &Kind::Text(Format::Plain), may_be_empty: true },
            ]),
            presence: Presence::Required(
                "add for instance audience = \"api\"; audience = [] takes tokens for anybody",
            ),
            doc: "What `aud` must name, one of them; an empty list takes tokens that are for somebody else too.",
            example: "\"api\"",
        },
        KeySpec {
            name: "algorithms",
            kind: Kind::List { of: &Kind::Choice(&ALGORITHMS), may_be_empty: false },
            presence: Presence::Default("[\"RS256\", \"ES256\", \"EdDSA\"]"),
            doc: "The signatures that are taken.",
            example: "[\"ES256\"]",
        },
        KeySpec {
            name: "cookie",
            kind: Kind::Text(Format::Word),
            presence: Presence::Optional("cookies are not looked at"),
            doc: "The cookie that holds the token where there is no `Authorization`.",
            example: "\"session\"",
        },
        KeySpec {
            name: "claims",
            kind: Kind::Named { name: Format::Word, of: &Kind::Text(Format::Plain) },
            presence: Presence::Optional("nothing more is asked"),
            doc: "Further claims that must be there: equal to the text, or a list that holds it; `scope` is a list with spaces. Otherwise 403.",
            example: "{ scope = \"orders:read\", realm = \"staff\" }",
        },
        KeySpec {
            name: "copy_claims",
            kind: Kind::Headers,
            presence: Presence::Default("{}"),
            doc: "Headers that tell the upstream claims of the token. Nobody else can send them.",
            example: "{ X-User = \"sub\", X-Email = \"email\" }",
        },
        KeySpec {
            name: "leeway",
            kind: Kind::Text(Format::DurationOrZero),
            presence: Presence::Default("\"1m\""),
            doc: "How far the clocks may be apart, for `exp` and `nbf`.",
            example: "\"10s\"",
        },
        KeySpec {
            name: "on_error",
            kind: ON_ERROR,
            presence: Presence::Default("\"deny\""),
            doc: "What happens while no keys can be had: 503, or with `\"allow\"` everyone comes in, unknown.",
            example: "\"allow\"",
        },
    ]],
    one_of: &[],
};

/// The names of all that the model knows.
const ALGORITHMS: [&str; JwsAlgorithm::ALL.len()] = {
    let mut names = [""; JwsAlgorithm::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = JwsAlgorithm::ALL[at].name();
        at += 1;
    }
    names
};
