//! The gateway through its front door: the real binary on free ports, real origins behind it, real
//! clients in front of it. Every test starts a gateway of its own, so all of them run side by side.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "every file here is a test or helps one: a panic is how a test fails"
)]

mod acme;
mod answers;
mod bad_clients;
mod demo;
mod failures;
mod harness;
mod outside;
mod policies;
mod reloading;
mod routing;
mod stopping;
mod streaming;
mod tls;
