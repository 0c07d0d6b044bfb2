//! A TLS edge gateway: one binary, one TOML file.
//!
//! The binary is a thin command line over this library. Another program can embed the gateway:
//! [`Gateway::bind`] builds it from a configuration, [`Gateway::run`] serves, [`Handle::stop`] ends.
//!
//! To follow one request, read `accept`, `connection`, `tls`, `proxy` and then the files that
//! `proxy::answer` names, in its order.

mod accept;
mod access_log;
mod admin;
mod asked;
#[doc(hidden)]
pub mod cli;
mod client;
mod connection;
#[doc(hidden)]
pub mod demo;
mod exchange;
mod explain;
mod fault;
mod gateway;
mod headers;
mod journal;
mod metrics;
mod path;
mod plain;
mod policy;
mod proxy;
mod reply;
mod rewrite;
mod route;
mod snapshot;
mod stop;
mod story;
mod stream;
mod time;
mod tls;
mod tunnel;
mod upstream;

pub use accept::BindError;
pub use gateway::{Gateway, Handle, StartError};
pub use snapshot::BuildError;
pub use upstream::TlsError;
