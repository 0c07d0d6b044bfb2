//! `gateway acme`, where nobody needs to be asked. The rest is in `front_door`.

use crate::certs::{BY_ACME, list};
use crate::harness::Folder;

const ACCOUNT: &str = r#"{
  "contact": ["mailto:ops@example.com"],
  "credentials": {
    "id": "https://acme-v02.api.letsencrypt.org/acme/acct/1",
    "key_pkcs8": "c2VjcmV0",
    "directory": "https://acme-v02.api.letsencrypt.org/directory"
  }
}"#;

#[test]
fn nothing_is_kept_yet() {
    let folder = Folder::with_config(BY_ACME);
    folder.run(&["acme", "status"]).on_any_day().exits_with(0).is("acme/empty");
    folder.run(&["acme", "rotate-key"]).exits_with(1).is("acme/rotate-nothing");
}

#[test]
fn no_site_by_acme() {
    let text = BY_ACME.replace("{ acme = { keys = \"both\" } }", "\"self-signed\"");
    let folder = Folder::with_config(&text.replace("\"acme\"", "\"self-signed\""));
    folder.run(&["acme", "status"]).exits_with(0).is("acme/no-acme");
    folder.run(&["acme", "status", "--json"]).exits_with(0).is("acme/no-acme-json");
}

#[test]
fn accounts_limits_waits_and_failures() {
    let folder = list::failing();
    let ca = "acme-v02.api.letsencrypt.org-directory";
    let staging = "acme-staging-v02.api.letsencrypt.org-directory";
    folder.write(&format!("state/acme/account-{ca}.json"), ACCOUNT);
    folder.write(&format!("state/acme/account-{staging}.json"), "{ \"contact\": ");
    folder.write(
        &format!("state/acme/ca-{staging}.json"),
        r#"{ "failures": 2, "hold": { "from": 32503680000, "seconds": 3600 } }"#,
    );
    folder.write(&format!("state/acme/ca-{ca}.json"), r#"{ "renewal_info": true }"#);
    folder.run(&["acme", "status"]).on_any_day().exits_with(0).is("acme/full");
    folder.run(&["acme", "status", "--json"]).on_any_day().exits_with(0).is("acme/full-json");
}

#[test]
fn a_ca_that_cannot_be_asked_is_no_failure() {
    let folder = Folder::with_config(
        &BY_ACME.replace("[acme]\n", "[acme]\ndirectory = \"https://127.0.0.1:1/dir\"\n"),
    );
    folder.run(&["acme", "status", "--live"]).on_any_day().exits_with(0).is("acme/unreachable");
}

#[test]
fn a_directory_that_is_none() {
    let folder = Folder::with_config(BY_ACME);
    let run = folder.run(&["acme", "rotate-key", "--directory", "zerossl"]);
    run.exits_with(2).is("acme/rotate-unknown");
}
