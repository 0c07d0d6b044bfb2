//! Where a secret is read from.

use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(crate) static SECRET: TableSpec = TableSpec {
    id: "secret",
    heading: "{ env } or { file }",
    doc: "Where a secret is read from when it is needed. The file itself never holds one; a string in its place is an error, and is shown nowhere.",
    groups: &[&[
        KeySpec {
            name: "env",
            kind: Kind::Text(Format::Variable),
            presence: Presence::Optional("there is a `file`"),
            doc: "The environment variable that holds the secret.",
            example: "\"CF_TOKEN\"",
        },
        KeySpec {
            name: "file",
            kind: Kind::Text(Format::File),
            presence: Presence::Optional("there is an `env`"),
            doc: "The file that holds the secret and nothing else; one line end behind it is no part of it. A relative path begins at the folder of the configuration file.",
            example: "\"/run/secrets/cf-token\"",
        },
    ]],
    one_of: &["env", "file"],
};
