//! Load for HTTP/1.1, HTTP/2 and WebSocket servers, and what came of it.

mod aim;
mod bench;
pub mod cli;
pub mod compare;
mod difference;
mod engine;
pub mod origin;
mod report;
mod result;
pub mod scale;
pub mod scenario;
mod slo;
mod wire;
