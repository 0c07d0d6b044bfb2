//! The gateway: everything that is on by default, the preset `app`, a limit.

use std::process::Command;

use super::Place;
use super::config::filled;

pub(super) const NOTES: &[&str] =
    &["It also makes a trace context (`traceparent`) for each request and logs its id, which the \
     others do not; this counts against the gateway."];

pub(super) fn files(place: &Place<'_>) -> Vec<(&'static str, String)> {
    vec![("gateway.toml", filled(include_str!("config/gateway.toml"), place))]
}

pub(super) fn arguments(command: &mut Command) {
    command.args(["run", "--config", "gateway.toml"]);
}
