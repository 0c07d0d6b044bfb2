//! Headers that speak of one connection and must not be passed on (RFC 9110 section 7.6.1).

use http::header::{
    CONNECTION, HeaderMap, HeaderName, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Whether a header never goes further than this connection.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    *name == CONNECTION
        || *name == TRANSFER_ENCODING
        || *name == UPGRADE
        || *name == TE
        || *name == TRAILER
        || *name == KEEP_ALIVE
        || *name == PROXY_CONNECTION
        || *name == PROXY_AUTHORIZATION
}

/// The further headers that `Connection` declares to be of this connection only. A sender cannot
/// take away the ones that make a message what it is.
pub(crate) fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .filter_map(|token| HeaderName::from_bytes(token.trim().as_bytes()).ok())
        .filter(|name| name != "close" && !is_hop_by_hop(name) && !is_essential(name))
        .collect()
}

fn is_essential(name: &HeaderName) -> bool {
    use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST};
    [HOST, CONTENT_LENGTH, AUTHORIZATION, COOKIE].contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_names_headers_but_not_the_essential_ones() {
        let mut headers = HeaderMap::new();
        headers.append(CONNECTION, "close, X-Secret , host".parse().unwrap());
        headers.append(CONNECTION, "x-other, te".parse().unwrap());
        assert_eq!(named_by_connection(&headers), ["x-secret", "x-other"]);
    }
}
