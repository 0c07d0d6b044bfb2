//! Lists of names in the documents are complete, and hold nothing that does not exist.

use std::collections::BTreeSet;

use crate::commands::Session;
use crate::markdown::Document;
use crate::project;

/// Every string in the gateway's sources that stands behind `before`, up to its closing quote.
fn strings_behind(before: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in project::sources() {
        let text = std::fs::read_to_string(source).unwrap();
        // Calls are broken over lines at will.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( \"", "(\"");
        let behind = text.split(before).skip(1);
        found.extend(behind.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    found
}

fn listed(document: &str, heading: &str) -> BTreeSet<String> {
    Document::open(document).first_column(heading).into_iter().collect()
}

#[test]
fn every_metric_is_described() {
    let ours = strings_behind("\"gateway_").into_iter().map(|rest| format!("gateway_{rest}"));
    let ours: BTreeSet<String> = ours.filter(|name| !name.contains(' ')).collect();
    assert!(ours.len() > 10, "only {ours:?}");
    assert_eq!(listed("docs/operations.md", "## Metrics"), ours);
}

#[test]
fn every_event_of_the_journal_is_described() {
    let calls = ["journal::info(\"", "journal::warn(\"", "journal::error(\""];
    let mut ours: BTreeSet<String> = calls.into_iter().flat_map(strings_behind).collect();
    let of_acme = project::read("acme/src/keeper/event.rs");
    let of_acme = of_acme.split("=> \"acme_").skip(1).filter_map(|rest| rest.split('"').next());
    ours.extend(of_acme.map(|rest| format!("acme_{rest}")));
    assert!(ours.len() > 15, "only {ours:?}");
    assert_eq!(listed("docs/operations.md", "## What the process says"), ours);
}

/// The arms of every `fn reason` of a file: what `gateway_faults_total` and its like are labelled
/// with.
fn reasons(file: &str) -> BTreeSet<String> {
    let source = project::read(file);
    let function = source.split("fn reason(").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let arms = function.split("=> \"").skip(1);
    arms.filter_map(|arm| arm.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn every_reason_why_a_request_fails_is_explained() {
    let files = ["gateway/src/fault.rs", "gateway/src/policy/mod.rs"];
    let ours: BTreeSet<String> = files.into_iter().flat_map(reasons).collect();
    assert!(ours.len() > 15, "only {ours:?}");
    assert_eq!(listed("docs/troubleshooting.md", "## Requests that fail"), ours);
}

#[test]
fn every_reason_why_a_handshake_fails_is_explained() {
    let ours = reasons("gateway/src/tls.rs");
    assert_eq!(listed("docs/troubleshooting.md", "## Handshakes that fail"), ours);
}

#[test]
fn every_field_of_the_access_log_is_described_in_its_order() {
    let mut session = Session::begin();
    session.write(
        "gateway.toml",
        "[server]\nhttp = []\nhttps = [\"127.0.0.1:8443\"]\nadmin = \"127.0.0.1:9180\"\n\
         storage = \"state\"\n[site.\"localhost\"]\ntls = \"self-signed\"\n\
         routes = [{ path = \"/*\", to = \"127.0.0.1:3000\" }]\n",
    );
    session.run("gateway run", "the test");
    session.run("curl -sS --cacert state/local-ca/root.crt https://localhost:8443/", "the test");
    let said = session.end();
    let Some(record) = said.lines().find(|line| line.contains("\"request_id\"")) else {
        eprintln!("SKIPPED: curl is not installed");
        return;
    };
    // Every field of a record begins where the last one ended, so order is seen in the text.
    let described = Document::open("docs/operations.md").first_column("## The access log");
    let mut rest = record;
    for field in &described {
        let quoted = format!("\"{field}\":");
        let Some((_, behind)) = rest.split_once(&quoted) else {
            panic!("no field {field}, or not in this place: {record}")
        };
        rest = behind;
    }
    let fields = serde_json::from_str::<serde_json::Value>(record).unwrap();
    assert_eq!(fields.as_object().unwrap().len(), described.len(), "{record}");
}
