//! What is decided about a request besides where it goes.

mod access;
mod body_caps;
mod client_address;
mod deny_paths;
mod forwarding;
mod hop_by_hop;
mod limits;
mod proxy_protocol;
mod response_headers;
