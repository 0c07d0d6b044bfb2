//! `loadtest compare`, `scale` and `origin` through the front door. The expected outputs are in
//! `golden`; `BLESS=1 cargo test -p loadtest --test compare` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod ends;
mod harness;
mod real;
mod refusals;
mod shown;
