//! HAProxy, with its log gathered in a ring and sent on by TCP.

use std::process::Command;

use super::Place;
use super::config::filled;

pub(super) const NOTES: &[&str] = &[
    "Its log gathers in memory and leaves by TCP: on stdout each record would be a system call of \
     its own, which costs it a third more CPU per request with HTTP/2 than this does.",
    "Its limit counts requests in a window of a second instead of spacing them.",
];

pub(super) fn files(place: &Place<'_>) -> Vec<(&'static str, String)> {
    vec![("haproxy.cfg", filled(include_str!("config/haproxy.cfg"), place))]
}

pub(super) fn arguments(command: &mut Command) {
    command.args(["-f", "haproxy.cfg"]);
}
