//! What people do by command: another key for the account, and revocation.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{ISSUE, Pebble, acme, as_cas_are, gateway, issued, pebble, site};
use crate::harness::gateway::Gateway;
use crate::harness::{config, within_time};

/// A running keeper notices a revocation within half a minute, and then has to have another issued.
const REPLACE: Duration = Duration::from_secs(30 + ISSUE.as_secs());

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs a command in the folder of a gateway, while pebble's validations go on being passed on.
async fn run(dir: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(arguments).current_dir(dir);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// What `certs list` says about the only certificate.
async fn listed(dir: &Path) -> Value {
    let ran = run(dir, &["certs", "list", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let mut list: Value = serde_json::from_str(&ran.stdout).unwrap();
    list["certificates"][0].take()
}

fn serial(row: &Value) -> Option<String> {
    row["serial"].as_str().map(str::to_owned)
}

/// Waits until another certificate is kept than the one with this serial number.
async fn replaced(dir: &Path, old: Option<&str>) -> String {
    within_time("another certificate", REPLACE, async {
        let mut pause = tokio::time::interval(Duration::from_millis(200));
        loop {
            pause.tick().await;
            match serial(&listed(dir).await) {
                Some(serial) if old != Some(&serial) => return serial,
                _ => {}
            }
        }
    })
    .await
}

async fn revoke(gateway: &Gateway, pebble: &Pebble, serial: &str) {
    let ran = run(gateway.dir(), &["certs", "revoke", "a.test", "--reason", "superseded"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(serial), "{}", ran.stdout);
    let status = pebble.certificate_status(&serial.replace(':', "")).await;
    assert_eq!(status.as_deref(), Some("Revoked"));
}

/// The key of the only account, and its URL.
fn account(dir: &Path) -> (String, String) {
    let files = std::fs::read_dir(dir.join("storage/acme")).unwrap();
    let names = files.map(|file| file.unwrap().path());
    let mut accounts = names.filter(|path| path.to_string_lossy().contains("/account-"));
    let kept: Value =
        serde_json::from_slice(&std::fs::read(accounts.next().unwrap()).unwrap()).unwrap();
    assert!(accounts.next().is_none());
    let text = |key: &str| kept["credentials"][key].as_str().unwrap().to_owned();
    (text("key_pkcs8"), text("id"))
}

#[tokio::test]
async fn a_revoked_certificate_is_replaced_by_the_gateway_that_runs() {
    if !pebble::is_installed("revocation") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
    let gateway = gateway(&pebble, &(acme(&pebble, "") + &site("a.test"))).await;
    issued(&gateway, &pebble, "a.test").await;
    let first = replaced(gateway.dir(), None).await;
    revoke(&gateway, &pebble, &first).await;
    assert_eq!(listed(gateway.dir()).await["attempts"]["revoked"], true);
    // Twice is no mistake.
    revoke(&gateway, &pebble, &first).await;
    let second = replaced(gateway.dir(), Some(&first)).await;
    issued(&gateway, &pebble, "a.test").await;
    assert_eq!(listed(gateway.dir()).await["attempts"]["revoked"], false);
    assert_eq!(pebble.certificate_status(&second.replace(':', "")).await.as_deref(), Some("Valid"));
}

#[tokio::test]
async fn an_account_goes_on_with_another_key() {
    if !pebble::is_installed("another key for an account") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
    let rest = acme(&pebble, "") + &site("a.test");
    let mut gateway = gateway(&pebble, &rest).await;
    issued(&gateway, &pebble, "a.test").await;
    let first = replaced(gateway.dir(), None).await;
    let before = account(gateway.dir());

    let busy = run(gateway.dir(), &["acme", "rotate-key"]).await;
    assert_eq!(busy.code, Some(1));
    assert!(busy.stderr.contains("a running gateway looks after"), "{}", busy.stderr);
    assert_eq!(account(gateway.dir()), before);

    gateway.stop().await;
    let directory = pebble.directory_url();
    let rotated = run(gateway.dir(), &["acme", "rotate-key", "--directory", &directory]).await;
    assert_eq!(rotated.code, Some(0), "{}{}", rotated.stdout, rotated.stderr);
    assert!(rotated.stdout.contains(&before.1), "{}", rotated.stdout);
    let after = account(gateway.dir());
    assert_eq!(after.1, before.1, "the same account");
    assert_ne!(after.0, before.0);

    // The new key revokes, and orders.
    revoke(&gateway, &pebble, &first).await;
    let status = run(gateway.dir(), &["acme", "status", "--live"]).await;
    assert!(status.stdout.contains(&after.1), "{}", status.stdout);
    let gateway = Gateway::start_in(gateway.into_dir(), &config("", &rest)).await;
    pebble.http_at(gateway.http());
    pebble.tls_at(gateway.https());
    replaced(gateway.dir(), Some(&first)).await;
    assert_eq!(account(gateway.dir()), after);
}
