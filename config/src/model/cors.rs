//! Which other origins may read a route's answers (WHATWG Fetch, "CORS protocol").

use std::fmt;
use std::net::Ipv6Addr;
use std::time::Duration;

use http::{HeaderName, Method};

use super::HostPattern;

/// What a route says to browsers about requests from other origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// The origins that may read answers.
    pub origins: CorsOrigins,
    /// Whether requests may carry cookies and other credentials. Never with [`CorsOrigins::Any`].
    pub credentials: bool,
    /// The methods that a preflight may ask for; never empty.
    pub methods: Vec<Method>,
    /// The request headers that a preflight may ask for. `None`: every header.
    pub headers: Option<Vec<HeaderName>>,
    /// The response headers that scripts may read besides those that Fetch lets them read anyway.
    pub expose: Vec<HeaderName>,
    /// How long browsers may remember a preflight's answer. `None` leaves it to them.
    pub max_age: Option<Duration>,
}

/// The origins that may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// `*`: every origin.
    Any,
    /// These.
    Listed(Vec<OriginPattern>),
}

/// An origin (RFC 6454): scheme, host and port; or the origins of all hosts with one more label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginPattern {
    /// In lower case.
    pub(crate) scheme: String,
    /// Never [`HostPattern::Any`].
    pub(crate) host: HostPattern,
    /// The scheme's own port where the configuration names none; `None` where it has none.
    pub(crate) port: Option<u16>,
}

/// The port that an origin without one has.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl OriginPattern {
    /// Whether the value of an `Origin` field is meant: scheme, host and port are compared
    /// (RFC 6454 section 5). What is no origin, `null` among it, never is.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let Some((host, port)) = split(authority) else { return false };
        scheme.eq_ignore_ascii_case(&self.scheme)
            && port.or(default_port(&self.scheme)) == self.port
            && self.is_host(host)
    }

    fn is_host(&self, host: &str) -> bool {
        match &self.host {
            HostPattern::Exact(own) => match host.strip_prefix('[') {
                Some(address) => {
                    let address = address.trim_end_matches(']').parse::<Ipv6Addr>().ok();
                    address.is_some_and(|address| own.ip() == Some(address.into()))
                }
                None => host.eq_ignore_ascii_case(own.as_str()),
            },
            HostPattern::Wildcard(parent) => host.split_once('.').is_some_and(|(label, rest)| {
                is_label(label) && rest.eq_ignore_ascii_case(parent.as_str())
            }),
            HostPattern::Any => false,
        }
    }
}

/// Host and port. `None` where it is not an origin's.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = authority.find(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[end..].find(':') else { return Some((authority, None)) };
    let (host, port) = (&authority[..end + colon], &authority[end + colon + 1..]);
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| port.parse().ok()).flatten().map(|port| (host, Some(port)))
}

fn is_label(label: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !label.is_empty() && label.bytes().all(is_part)
}

/// As browsers write it.
impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        match host {
            HostPattern::Exact(host) if host.as_str().contains(':') => {
                write!(f, "{scheme}://[{host}]")?;
            }
            host => write!(f, "{scheme}://{host}")?,
        }
        match port.filter(|port| Some(*port) != default_port(scheme)) {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::parse_origin;

    fn matches(pattern: &str, origin: &str) -> bool {
        parse_origin(pattern).expect("an origin").matches(origin)
    }

    #[test]
    fn scheme_host_and_port_are_compared() {
        for (pattern, origin, expected) in [
            ("https://app.example.com", "https://app.example.com", true),
            ("https://app.example.com", "https://APP.example.com", true),
            ("https://app.example.com", "https://app.example.com:443", true),
            ("https://app.example.com:443", "https://app.example.com", true),
            ("https://app.example.com", "http://app.example.com", false),
            ("https://app.example.com", "https://app.example.com:8443", false),
            ("https://app.example.com", "http://app.example.com:443", false),
            ("https://app.example.com", "https://app.example.com.evil.test", false),
            ("https://app.example.com", "https://evilapp.example.com", false),
            ("https://app.example.com", "https://x@app.example.com", false),
            ("https://app.example.com", "https://app.example.com/", false),
            ("https://app.example.com", "https://app.example.com:", false),
            ("https://app.example.com", "https://app.example.com:+443", false),
            ("https://app.example.com", "https://app.example.com.", false),
            ("https://app.example.com", "null", false),
            ("https://app.example.com", "", false),
            ("https://app.example.com", "https://", false),
            ("http://localhost:3000", "http://localhost:3000", true),
            ("http://localhost:3000", "http://localhost", false),
            ("http://[::1]:3000", "http://[::1]:3000", true),
            ("http://[::1]:3000", "http://[0:0::1]:3000", true),
            ("http://[::1]:3000", "http://[::2]:3000", false),
            ("http://127.0.0.1", "http://127.0.0.1:80", true),
            ("capacitor://localhost", "capacitor://localhost", true),
            ("capacitor://localhost", "capacitor://localhost:1", false),
        ] {
            assert_eq!(matches(pattern, origin), expected, "{pattern} {origin}");
        }
    }

    #[test]
    fn a_star_is_one_label() {
        for (origin, expected) in [
            ("https://a.example.com", true),
            ("https://A-1.example.com", true),
            ("https://example.com", false),
            ("https://.example.com", false),
            ("https://a.b.example.com", false),
            ("https://evil.test#.example.com", false),
            ("https://evil@a.example.com", false),
            ("http://a.example.com", false),
        ] {
            assert_eq!(matches("https://*.example.com", origin), expected, "{origin}");
        }
    }

    #[test]
    fn it_is_written_as_browsers_write_it() {
        for (text, written) in [
            ("HTTPS://App.Example.com:443", "https://app.example.com"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://*.example.com", "https://*.example.com"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(parse_origin(text).expect("an origin").to_string(), written);
        }
    }
}
