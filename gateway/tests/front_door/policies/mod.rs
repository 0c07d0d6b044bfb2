//! What is decided about a request besides where it goes.

mod access;
mod basic_auth;
mod body_caps;
mod client_address;
mod client_certs;
mod deny_paths;
mod forward_auth;
mod forwarding;
mod hop_by_hop;
mod jwt;
mod limits;
mod response_headers;
mod webhooks;
