//! A TLS edge gateway: one binary, one TOML file.
//!
//! The binary is a thin command line over this library. Another program can embed the gateway:
//! [`Gateway::bind`] builds it from a configuration, [`Gateway::run`] serves, [`Handle::stop`] ends.
//!
//! To follow one request, read `accept`, `serve`, `tls`, `http1` or `http2`, `proxy` and then the files that
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
#[allow(dead_code, reason = "the request loop does not use it yet")]
mod downstream;
mod exchange;
mod explain;
mod fault;
mod gateway;
#[allow(dead_code, unused_imports, reason = "the request loop does not use it yet")]
mod h2;
#[allow(dead_code, reason = "the request loop does not use it yet")]
mod head;
mod headers;
mod http1;
mod http2;
mod journal;
mod metrics;
mod path;
mod plain;
mod policy;
mod proxy;
mod reply;
mod rewrite;
mod route;
mod serve;
mod snapshot;
mod stop;
mod story;
mod stream;
mod terminal;
mod time;
mod tls;
mod tunnel;
mod upstream;
mod worker;

pub use accept::BindError;
pub use gateway::{Gateway, Handle, StartError};
pub use snapshot::BuildError;
pub use upstream::TlsError;
