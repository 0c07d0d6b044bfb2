//! The tests' own CA does what the RFCs say, and the trouble that it is told to make. The client is
//! instant-acme itself, so that what fails here is the CA and not the gateway.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "every file here is a test or helps one: a panic is how a test fails"
)]

mod harness;
mod small_ca;
