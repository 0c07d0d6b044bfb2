//! What is decided about a request besides where it goes.

mod access;
mod bandwidth;
mod basic_auth;
mod body_caps;
mod client_address;
mod client_certs;
mod concurrency;
mod deny_paths;
mod errors;
mod fair_limits;
mod forward_auth;
mod forwarding;
mod hop_by_hop;
mod jwt;
mod limits;
mod maintenance;
mod response_headers;
mod webhooks;
