//! Reading hosts: from the configuration, from `Host` headers, and from SNI.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::model::{Host, HostPattern};

/// RFC 1035, section 2.3.4, without the root's empty label.
const LONGEST_NAME: usize = 253;
/// RFC 1035, section 2.3.4.
const LONGEST_LABEL: usize = 63;

/// Why a text is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostError {
    /// Nothing is there, or nothing between two dots.
    Empty,
    /// A name of more than 253 characters, or a label of more than 63.
    TooLong,
    /// A character that no host has; also a port where none may stand.
    Character(char),
    /// A label that begins or ends with a hyphen.
    Hyphen,
    /// A name that ends in a number and is not an IPv4 address.
    Ipv4,
    /// Brackets or colons without an IPv6 address.
    Ipv6,
    /// An international name that IDNA does not allow.
    Idna,
    /// Not a port.
    Port,
    /// A `*` anywhere but as the whole first label.
    Wildcard,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty, or has nothing between two dots",
            Self::TooLong => "it is longer than DNS allows",
            Self::Character(c) => return write!(f, "it holds `{}`", c.escape_default()),
            Self::Hyphen => "a part of it begins or ends with a hyphen",
            Self::Ipv4 => "it ends in a number and is not an IPv4 address",
            Self::Ipv6 => "it is not an IPv6 address",
            Self::Idna => "it is not a valid international name",
            Self::Port => "its port is not a number from 1 to 65535",
            Self::Wildcard => "a `*` may only be the whole first part, as in `*.example.com`",
        })
    }
}

impl std::error::Error for HostError {}

impl Host {
    /// Reads a host without a port: a name in any spelling, an IPv4 address, or an IPv6 address with
    /// or without brackets. The usual name costs one pass and one allocation.
    ///
    /// # Errors
    ///
    /// See [`HostError`]. Underscores are allowed: DNS and container networks have them.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.starts_with('[') || text.contains(':') {
            return parse_ipv6(text);
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let name = if needs_idna(name) { to_ascii(name)? } else { Cow::Borrowed(name) };
        check_name(&name)?;
        let mut name = name.into_owned();
        name.make_ascii_lowercase();
        Ok(Self(name))
    }

    /// Reads `host` or `host:port`, as in a `Host` header or `:authority` (RFC 9110, section 7.2);
    /// an IPv6 address needs its brackets.
    ///
    /// # Errors
    ///
    /// See [`HostError`]. User information is an error (RFC 9110, section 4.2.4), port 0 too.
    pub fn parse_authority(text: &str) -> Result<(Self, Option<u16>), HostError> {
        let end = text.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match text[end..].find(':') {
            Some(colon) => (&text[..end + colon], Some(&text[end + colon + 1..])),
            None => (text, None),
        };
        // RFC 3986, section 3.2.3: a colon with nothing behind it is a port that was left out.
        let port = match port.filter(|port| !port.is_empty()) {
            Some(port) => Some(parse_port(port)?),
            None => None,
        };
        Ok((Self::parse(host)?, port))
    }

    /// The host without its first label: `example.com` of `www.example.com`. `None` for an address
    /// and for a single label.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        let (_, parent) = self.0.split_once('.')?;
        self.ip().is_none().then_some(parent)
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

/// A map with hosts for keys can be asked by the canonical spelling.
impl Borrow<str> for Host {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl HostPattern {
    /// Reads a host, `*.example.com` or `*`.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Some(parent) = text.strip_prefix("*.") {
            let parent = Host::parse(parent).map_err(star_first)?;
            return match parent.ip() {
                Some(_) => Err(HostError::Wildcard),
                None => Ok(Self::Wildcard(parent)),
            };
        }
        Host::parse(text).map(Self::Exact).map_err(star_first)
    }

    /// Whether the host is one of those meant. Which of several patterns wins is the router's
    /// business: exact, then wildcard, then any.
    #[must_use]
    pub fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Exact(own) => own == host,
            Self::Wildcard(parent) => host.parent() == Some(parent.as_str()),
            Self::Any => true,
        }
    }
}

impl FromStr for HostPattern {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

fn star_first(error: HostError) -> HostError {
    match error {
        HostError::Character('*') => HostError::Wildcard,
        other => other,
    }
}

fn parse_port(text: &str) -> Result<u16, HostError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(HostError::Port),
    }
}

fn parse_ipv6(text: &str) -> Result<Host, HostError> {
    let inner = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or(HostError::Ipv6)?,
        None => text,
    };
    match inner.parse::<Ipv6Addr>() {
        Ok(address) => Ok(Host(address.to_string())),
        // `example.com:443` is a name with a port rather than a bad address.
        Err(_) if text.matches(':').count() == 1 => Err(HostError::Character(':')),
        Err(_) => Err(HostError::Ipv6),
    }
}

/// A-labels are checked too: a name that only looks like one has no canonical spelling.
fn needs_idna(name: &str) -> bool {
    !name.is_ascii()
        || name
            .split('.')
            .any(|label| label.len() >= 4 && label.as_bytes()[..4].eq_ignore_ascii_case(b"xn--"))
}

fn to_ascii(name: &str) -> Result<Cow<'_, str>, HostError> {
    let ascii = idna::domain_to_ascii_cow(name.as_bytes(), idna::AsciiDenyList::URL)
        .map_err(|_| HostError::Idna)?;
    Ok(match ascii.strip_suffix('.') {
        Some(name) => Cow::Owned(name.to_owned()),
        None => ascii,
    })
}

fn check_name(name: &str) -> Result<(), HostError> {
    if name.len() > LONGEST_NAME {
        return Err(HostError::TooLong);
    }
    name.split('.').try_for_each(check_label)?;
    let last = name.rsplit('.').next().unwrap_or(name);
    if is_number(last) && name.parse::<Ipv4Addr>().is_err() {
        return Err(HostError::Ipv4);
    }
    Ok(())
}

/// What the URL standard takes for a number, hexadecimal included: clients read such names as
/// addresses.
fn is_number(label: &str) -> bool {
    let bytes = label.as_bytes();
    let hex = bytes.len() >= 2 && bytes[..2].eq_ignore_ascii_case(b"0x");
    bytes.iter().all(u8::is_ascii_digit) || (hex && bytes[2..].iter().all(u8::is_ascii_hexdigit))
}

fn check_label(label: &str) -> Result<(), HostError> {
    let bytes = label.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Err(HostError::Empty);
    };
    if bytes.len() > LONGEST_LABEL {
        return Err(HostError::TooLong);
    }
    let stranger = label.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    match stranger {
        Some(c) => Err(HostError::Character(c)),
        None if *first == b'-' || *last == b'-' => Err(HostError::Hyphen),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host(text: &str) -> Result<String, HostError> {
        Host::parse(text).map(|host| host.to_string())
    }

    #[test]
    fn every_spelling_has_one_canonical_form() {
        for (text, canonical) in [
            ("example.com", "example.com"),
            ("WWW.Example.COM.", "www.example.com"),
            ("my_service", "my_service"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example.", "xn--bcher-kva.example"),
            ("XN--Bcher-KVA.example", "xn--bcher-kva.example"),
            ("例え。jp", "xn--r8jz45g.jp"),
            ("192.0.2.1", "192.0.2.1"),
            ("::1", "::1"),
            ("[2001:DB8:0::1]", "2001:db8::1"),
        ] {
            assert_eq!(host(text), Ok(canonical.to_owned()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, error) in [
            ("", HostError::Empty),
            (".", HostError::Empty),
            ("a..b", HostError::Empty),
            ("a..", HostError::Empty),
            ("a b", HostError::Character(' ')),
            ("a/b", HostError::Character('/')),
            ("user@a", HostError::Character('@')),
            ("a%2eb", HostError::Character('%')),
            ("example.com:443", HostError::Character(':')),
            ("-a.example", HostError::Hyphen),
            ("a-.example", HostError::Hyphen),
            ("1.2.3", HostError::Ipv4),
            ("1.2.3.256", HostError::Ipv4),
            ("127.0.0.01", HostError::Ipv4),
            ("0x7f.1", HostError::Ipv4),
            ("a.0x7F", HostError::Ipv4),
            ("[::1", HostError::Ipv6),
            ("[127.0.0.1]", HostError::Ipv6),
            ("fe80::1%eth0", HostError::Ipv6),
            ("xn--a", HostError::Idna),
            ("a\u{00ad}\u{200d}.example", HostError::Idna),
        ] {
            assert_eq!(host(text), Err(error), "{text}");
        }
        assert_eq!(host(&"a".repeat(64)), Err(HostError::TooLong));
        assert_eq!(host(&"a.".repeat(127)), Ok("a.".repeat(127).trim_end_matches('.').into()));
        assert_eq!(host(&"a.".repeat(128)), Err(HostError::TooLong));
    }

    #[test]
    fn an_authority_may_have_a_port() {
        let authority = |text| Host::parse_authority(text).map(|(h, port)| (h.to_string(), port));
        assert_eq!(authority("A.example:8443"), Ok(("a.example".into(), Some(8443))));
        assert_eq!(authority("a.example:"), Ok(("a.example".into(), None)));
        assert_eq!(authority("[::1]:80"), Ok(("::1".into(), Some(80))));
        assert_eq!(authority("[::1]"), Ok(("::1".into(), None)));
        for text in ["a:0", "a:65536", "a:+1", "a:x", "::1", "[::1]x", "u@a:1", "a:1:2", ":80"] {
            assert!(authority(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wildcard_is_one_label() {
        let wildcard = HostPattern::parse("*.Example.com").expect("a pattern");
        for (text, expected) in [
            ("a.example.com", true),
            ("example.com", false),
            ("a.b.example.com", false),
            ("aexample.com", false),
        ] {
            let host = Host::parse(text).expect(text);
            assert_eq!(wildcard.matches(&host), expected, "{text}");
        }
        for text in ["*.", "**.a", "a.*.b", "*a.b", "*.*.a", "*.1.2.3.4", "*.[::1]"] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
        assert_eq!(HostPattern::parse("*"), Ok(HostPattern::Any));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_canonical_form_is_stable(text in "(\\PC|[a-zA-Z0-9.:*\\[\\]-]){0,40}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(host.as_str()), Ok(host));
            }
            if let Ok(pattern) = HostPattern::parse(&text) {
                prop_assert_eq!(HostPattern::parse(&pattern.to_string()), Ok(pattern));
            }
            let _ = Host::parse_authority(&text);
        }
    }
}
