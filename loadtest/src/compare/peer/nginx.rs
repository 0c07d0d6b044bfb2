//! nginx, with its log buffered and its bodies streamed.

use std::process::Command;

use super::Place;
use super::config::filled;

pub(super) const NOTES: &[&str] = &[
    "`Server: nginx` stays in its answers: the build in Debian cannot remove it.",
    "Its metrics are `stub_status`: seven counters for the whole server, where the gateway counts and \
     times by site and route; this counts against the gateway.",
    "Bodies are streamed and never stored on disk, as in the gateway; by default nginx stores uploads.",
];

pub(super) fn files(place: &Place<'_>) -> Vec<(&'static str, String)> {
    vec![("nginx.conf", filled(include_str!("config/nginx.conf"), place))]
}

pub(super) fn arguments(command: &mut Command) {
    // Without -e it opens the log of its package first, which only root may.
    command.args(["-e", "stderr", "-p", ".", "-c", "nginx.conf"]);
}
