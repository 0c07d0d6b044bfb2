//! Which site and route takes a request, and where it goes from there.

mod hosts;
mod http2_upstreams;
mod paths;
mod plain;
mod redirects;
mod rewriting;
mod upstreams;
