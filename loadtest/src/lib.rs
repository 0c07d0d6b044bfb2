//! Load for HTTP/1.1, HTTP/2 and WebSocket servers, and what came of it.

mod bench;
pub mod cli;
pub mod compare;
mod engine;
pub mod origin;
pub mod scale;
pub mod scenario;
mod wire;
