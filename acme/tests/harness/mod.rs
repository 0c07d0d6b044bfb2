//! What stands around the ACME client in its tests: certificate authorities that speak ACME, and what
//! answers their challenges. Everything is real and on loopback.

pub(crate) mod account;
pub(crate) mod issue;
pub(crate) mod pebble;
pub(crate) mod responder;
pub(crate) mod small_ca;
