//! Load for HTTP/1.1, HTTP/2 and WebSocket servers, and what came of it.

pub mod cli;
pub mod origin;
