//! The command line, as scripts and people meet it: exit codes and every word. The expected outputs
//! are in `golden`; `BLESS=1 cargo test -p gateway --test cli` writes them anew. Read the difference
//! before committing it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod acme;
mod acme_doctor;
mod certs;
mod check_config;
mod compose;
mod explain;
mod harness;
mod hash_password;
mod healthcheck;
mod help;
mod live;
mod reload;
mod schema;
mod start;
mod terminal;
