//! The keeper as the gateway runs it, against CAs that do what CAs do.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "every file here is a test or helps one: a panic is how a test fails"
)]

#[path = "../harness/pebble/mod.rs"]
mod pebble;
#[path = "../harness/small_ca/mod.rs"]
mod small_ca;

mod care;
mod renewal;
mod rig;
mod survival;
mod texts;
