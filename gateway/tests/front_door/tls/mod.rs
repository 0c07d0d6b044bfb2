//! TLS and the accept loop: what is negotiated, which certificate is shown to whom, who is refused,
//! and how long anyone may take.

mod addresses;
mod caps;
mod certificates;
mod handshake;
mod names;
mod slow_clients;
