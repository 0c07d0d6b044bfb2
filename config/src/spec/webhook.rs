//! `webhook` of a server, site or route.

use super::secret::SECRET;
use super::{Format, KeySpec, Kind, Presence, TableSpec};

pub(super) const WEBHOOK: Kind =
    Kind::Either(&[Kind::Choice(&["off"]), Kind::Table(&WEBHOOK_TABLE)]);

static WEBHOOK_TABLE: TableSpec = TableSpec {
    id: "webhook",
    heading: "webhook = { provider, secrets, events, replay, remember }",
    doc: "Only deliveries that the provider has signed go on; everyone else gets 401. A delivery is held in memory until its signature is known to be good, so `body` is 25MiB where nothing smaller is said, and never more.",
    groups: &[&[
        KeySpec {
            name: "provider",
            kind: Kind::Choice(&["github"]),
            presence: Presence::Required("write provider = \"github\""),
            doc: "Who signs, and how: `\"github\"` is HMAC-SHA256 over the body in `X-Hub-Signature-256`.",
            example: "\"github\"",
        },
        KeySpec {
            name: "secrets",
            kind: Kind::List { of: &Kind::Table(&SECRET), may_be_empty: false },
            presence: Presence::Required(
                "say where the secret is: secrets = [{ file = \"/run/secrets/github_webhook\" }]",
            ),
            doc: "The secret that the provider was given. With several, a signature by any of them is good: that is how a secret is changed without losing deliveries. They are read at start and at each reload.",
            example: "[{ file = \"/run/secrets/github_webhook\" }, { env = \"OLD_WEBHOOK_SECRET\" }]",
        },
        KeySpec {
            name: "events",
            kind: Kind::List { of: &Kind::Text(Format::Event), may_be_empty: false },
            presence: Presence::Optional("every event goes on"),
            doc: "The events that go on: `\"ping\"`, or with the action `\"workflow_job.queued\"`. Other signed deliveries are answered with 204 and go nowhere.",
            example: "[\"workflow_job.queued\", \"ping\"]",
        },
        KeySpec {
            name: "replay",
            kind: Kind::Choice(&["refuse", "allow"]),
            presence: Presence::Default("\"refuse\""),
            doc: "What happens to a delivery that has been answered with 2xx before: `\"refuse\"` gives it 409, `\"allow\"` lets it through, so that \"Redeliver\" works at GitHub for deliveries that went well.",
            example: "\"allow\"",
        },
        KeySpec {
            name: "remember",
            kind: Kind::Text(Format::Duration),
            presence: Presence::Default("\"3d\""),
            doc: "For how long a delivery is known again. GitHub redelivers what is at most three days old.",
            example: "\"1d\"",
        },
    ]],
    one_of: &[],
};
