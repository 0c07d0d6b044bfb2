//! `gateway certs list`.

use super::{BY_ACME, keep, kept_in};
use crate::harness::Folder;
use crate::harness::certs::issue;

const NO_ACME: &str = r#"[server]
storage = "state"

[site."app.example.com"]
tls = { cert = "app.pem", key = "app.key" }
routes = [{ path = "/*", respond = { status = 200, body = "here" } }]

[site."old.example.com"]
tls = { cert = "old.pem", key = "old.key" }
routes = [{ path = "/*", respond = { status = 200, body = "here" } }]

[site."gone.example.com"]
tls = { cert = "gone.pem", key = "gone.key" }
routes = [{ path = "/*", respond = { status = 200, body = "here" } }]

[site."localhost"]
tls = "self-signed"
aliases = ["127.0.0.1"]
routes = [{ path = "/*", respond = { status = 200, body = "here" } }]
"#;

/// A ledger with everything in it.
const FAILING: &str = r#"{
  "failures": 3,
  "wait": { "from": 32503680000, "seconds": 3600 },
  "cas": {
    "https://acme-v02.api.letsencrypt.org/directory": {
      "failures": 1, "wait": { "from": 32503680000, "seconds": 7200 } } },
  "begun": { "at": 1790000000, "directory": "https://acme-v02.api.letsencrypt.org/directory" },
  "rehearsed": false,
  "failed": {
    "at": 1790000000,
    "directory": "https://acme-v02.api.letsencrypt.org/directory",
    "blame": "name",
    "what": "Let's Encrypt says: 203.0.113.7: Fetching http://example.com/.well-known/acme-challenge/x: Timeout during connect (likely firewall problem).",
    "advice": "Let the world reach this machine's port 80 by this name: check its A and AAAA records, the firewall, and that a container publishes the port."
  },
  "issued": [1780000000],
  "issued_by": "https://acme-v02.api.letsencrypt.org/directory",
  "renewal_info": {
    "window": { "start": 32000000000, "end": 32000600000 },
    "explanation": "https://letsencrypt.org/docs/why",
    "poll": { "from": 1790000000, "seconds": 3600 },
    "failures": 0
  }
}"#;

/// A folder whose first certificate is kept and fails, and whose second is not there yet.
pub(crate) fn failing() -> Folder {
    let folder = Folder::with_config(BY_ACME);
    let files = kept_in(&folder);
    keep(&folder, &files[0], &issue(&["example.com", "www.example.com"], 3000));
    folder.write(&files[0].replace(".pem", ".json"), FAILING);
    folder
}

#[test]
fn from_files_and_of_the_local_ca() {
    let folder = Folder::with_config(NO_ACME);
    folder.write_certificate("app", &issue(&["app.example.com", "more.example.com"], 3000));
    folder.write_certificate("old", &issue(&["old.example.com"], 2001));
    folder.run(&["certs", "list"]).on_any_day().exits_with(0).is("certs/no-acme");
}

#[test]
fn nothing_is_kept_yet() {
    let folder = Folder::with_config(BY_ACME);
    folder.run(&["certs", "list"]).on_any_day().exits_with(0).is("certs/empty");
    folder.run(&["certs", "list", "--json"]).exits_with(0).is("certs/empty-json");
}

#[test]
fn what_failed_says_why() {
    let mut folder = failing();
    let serial = serial(&folder);
    folder.hide(&serial, "SERIAL");
    folder.run(&["certs", "list"]).on_any_day().exits_with(0).is("certs/failing");
    folder.run(&["certs", "list", "--json"]).on_any_day().exits_with(0).is("certs/failing-json");
}

fn serial(folder: &Folder) -> String {
    let run = folder.run(&["certs", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    list["certificates"][0]["serial"].as_str().unwrap().to_owned()
}

#[test]
fn damage_is_shown_and_left_to_the_gateway() {
    let folder = failing();
    let files = kept_in(&folder);
    folder.write(&files[0].replace(".pem", ".json"), "{ \"failures\": 3, ");
    folder.write(&files[1], "no certificate");
    keep(&folder, &files[2], &issue(&["other.example.com"], 3000));
    folder.run(&["certs", "list"]).on_any_day().exits_with(0).is("certs/damaged");
}

#[test]
fn a_storage_that_cannot_be_read() {
    let folder = Folder::with_config(BY_ACME);
    folder.write("state", "in the way");
    folder.run(&["certs", "list"]).exits_with(2).is("certs/unreadable");
    folder.run(&["acme", "status"]).exits_with(2).is("acme/unreadable");
}

#[test]
fn without_a_configuration() {
    Folder::new()
        .run(&["certs", "list", "--config", "none.toml"])
        .exits_with(2)
        .is("certs/no-config");
}
