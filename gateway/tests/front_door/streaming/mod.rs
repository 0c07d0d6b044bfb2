//! Bodies that flow: nothing is collected, nothing is held back, and both sides learn how it ended.

mod aborts;
mod duplex;
mod events;
mod expect;
mod half_closed;
mod many_websockets;
mod pool;
mod trailers;
mod transfers;
mod websockets;
