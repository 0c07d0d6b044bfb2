//! What is done to answers on their way back besides their headers.

use http::HeaderValue;

/// One entry of `cache_control`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheControl {
    /// How paths end that it is for: with their dot, in lower case; compared without regard to case.
    pub suffixes: Vec<String>,
    /// The value of `Cache-Control` (RFC 9111 section 5.2).
    pub value: HeaderValue,
}
