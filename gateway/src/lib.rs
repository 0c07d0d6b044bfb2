//! A TLS edge gateway: one binary, one TOML file.
//!
//! The binary is a thin command line over this library. Another program can embed the gateway:
//! [`Gateway::bind`] builds it from a configuration, [`Gateway::run`] serves, [`Handle::stop`] ends.
//!
//! To follow one request, read `accept`, `serve`, `tls`, `http1` or `http2`, `proxy` and then the files that
//! `proxy::answer` names, in its order.

mod accept;
mod access_log;
mod acme;
mod admin;
mod answer_body;
mod asked;
#[doc(hidden)]
pub mod cli;
mod client;
mod connection;
#[doc(hidden)]
pub mod counted;
#[doc(hidden)]
pub mod demo;
mod descriptors;
mod downstream;
mod encoder;
mod exchange;
mod explain;
mod fault;
mod files;
mod gateway;
mod guard;
mod h1;
mod h2;
mod head;
mod headers;
mod http1;
mod http2;
mod journal;
mod kept_body;
mod listeners;
mod metrics;
mod oversee;
mod path;
mod patience;
mod plain;
mod policy;
mod proxy;
mod proxy_protocol;
mod reload;
mod reply;
mod rewrite;
mod route;
mod serve;
mod shard;
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
pub use guard::GuardProblem;
pub use reply::PageError;
pub use snapshot::BuildError;
pub use upstream::{StickyError, TlsError};
