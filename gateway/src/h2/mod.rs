//! HTTP/2, the server's side (RFC 9113).
//!
//! [`connection::Connection`] is the protocol without any input or output: bytes go in, bytes and requests come
//! out. [`driver`] moves the bytes, and [`request::Http2Request`] is what one request's task sees of it.

mod assembly;
mod budget;
mod connection;
mod driver;
mod error;
mod field;
mod flow;
mod frame;
mod hpack;
mod output;
mod request;
mod settings;
mod stream;

pub(crate) use connection::{Connection, Event};
pub(crate) use driver::{Asked, Limits, drive};
