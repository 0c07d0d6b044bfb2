//! Reloading the configuration, asked for by `gateway reload`, at the admin listener, and by SIGHUP.

mod asking;
mod carried_over;
mod certificates;
mod guards;
mod listeners;
mod refusals;
mod taking_effect;
mod under_load;

use std::process::Command;

use hyper::StatusCode;
use serde_json::Value;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, post};
use crate::harness::replies::{Reply, empty};
use crate::harness::within;

/// How a command ended, and what it said.
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Writes the configuration that the gateway was started with anew.
fn rewrite(gateway: &Gateway, config: &str) {
    std::fs::write(gateway.dir().join("gateway.toml"), config).unwrap();
}

/// Runs a command of the gateway in its folder.
async fn command(gateway: &Gateway, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(arguments).current_dir(gateway.dir());
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = within(&format!("gateway {}", arguments.join(" ")), run).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// `gateway reload` of another configuration.
async fn reload(gateway: &Gateway, config: &str) -> Said {
    rewrite(gateway, config);
    command(gateway, &["reload", "--admin", &gateway.admin().to_string()]).await
}

/// Asks for a reload of another configuration at the admin listener.
async fn ask(gateway: &Gateway, config: &str) -> Reply {
    rewrite(gateway, config);
    Http::plain(gateway.admin(), "localhost").await.request(post("/reload", empty())).await
}

/// A reload that must be good.
pub(crate) async fn reloaded(gateway: &Gateway, config: &str) -> String {
    let reply = ask(gateway, config).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.text()
}

/// The journal's event about the last reload by a signal.
async fn event(gateway: &Gateway, name: &str) -> Value {
    gateway.event(&format!("an event \"{name}\""), |event| event["event"] == name).await
}
