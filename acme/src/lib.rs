//! Certificates by ACME (RFC 8555), from the first issue to renewal, and never a lapse.

pub mod dns;
pub mod https;
