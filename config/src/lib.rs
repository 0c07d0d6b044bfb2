//! The gateway's configuration: TOML text in, checked domain types out.

pub mod model;
