//! Certificates by ACME (RFC 8555), from the first issue to renewal, and never a lapse.

pub mod dns;
mod failure;
pub mod https;
mod moment;
pub mod plan;

pub use failure::{Blame, Failed, Failure};
pub use moment::{Moment, Wait};
