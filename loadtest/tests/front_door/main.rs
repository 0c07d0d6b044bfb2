//! The real program against real origins.

#![expect(clippy::unwrap_used, reason = "every file here is a test or helps one")]

mod aiming;
mod answers;
mod connections;
mod failures;
mod harness;
mod loops;
mod outputs;
mod protocols;
