//! Caddy, without what its build in Debian does not have: a rate limit.

use std::process::Command;

use super::Place;
use super::config::filled;

pub(super) const NOTES: &[&str] = &[
    "It counts against no rate limit: its build in Debian has none. This counts for Caddy.",
    "It encrypts with AES-128-GCM, because Go prefers that; the others with AES-256-GCM, which the \
     client prefers. This counts for Caddy.",
    "Its log has the headers of request and answer in it, and each record is written at once.",
];

pub(super) fn files(place: &Place<'_>) -> Vec<(&'static str, String)> {
    vec![("Caddyfile", filled(include_str!("config/Caddyfile"), place))]
}

pub(super) fn arguments(command: &mut Command) {
    command.args(["run", "--config", "Caddyfile", "--adapter", "caddyfile"]);
    // One thread that runs Go at a time; and what it keeps stays in the folder that goes away.
    command.env("GOMAXPROCS", "1").env("XDG_DATA_HOME", ".").env("XDG_CONFIG_HOME", ".");
}
