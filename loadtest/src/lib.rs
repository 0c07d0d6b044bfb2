//! Load for HTTP/1.1, HTTP/2 and WebSocket servers, and what came of it.

mod aim;
pub mod cli;
mod difference;
mod engine;
mod report;
mod result;
pub mod scenario;
mod slo;
mod wire;
