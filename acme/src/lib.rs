//! Certificates by ACME (RFC 8555), from the first issue to renewal, and never a lapse.

mod failure;
mod moment;
pub mod plan;

pub use failure::{Blame, Failed, Failure};
pub use moment::{Moment, Wait};
