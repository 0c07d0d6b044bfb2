//! The documentation cannot rot: every configuration in it is read, every command is run, every
//! link leads somewhere, and every list of names is compared with what the gateway really has.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "every file here is a test or helps one: a panic is how a test fails"
)]

mod commands;
mod configurations;
mod demo;
mod licences;
mod links;
mod lists;
mod markdown;
mod project;
mod reference;
