//! What is decided about a request besides where it goes.

mod access;
mod bandwidth;
mod body_caps;
mod client_address;
mod concurrency;
mod deny_paths;
mod errors;
mod fair_limits;
mod forwarding;
mod hop_by_hop;
mod limits;
mod maintenance;
mod response_headers;
