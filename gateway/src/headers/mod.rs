//! Headers, both ways: what a proxy must drop, what it adds about the client, and what the
//! configuration says about answers.

pub(crate) mod accept_encoding;
pub(crate) mod cookies;
pub(crate) mod etag;
pub(crate) mod finish;
pub(crate) mod hop_by_hop;
pub(crate) mod request;
pub(crate) mod request_http2;
pub(crate) mod response;
pub(crate) mod trace;
pub(crate) mod trailers;
pub(crate) mod vary;
pub(crate) mod weight;
