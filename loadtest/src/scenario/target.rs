//! Where a scenario connects to: `https://127.0.0.1:8443`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::problem::{Complaint, quoted};

/// A scheme, a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// A name in lower case, or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Target {
    pub(crate) fn read(text: &str) -> Result<Self, Complaint> {
        let wrong = |what: &str, help: &str| {
            Complaint::new(format!("{} {what}", quoted(text)), help.to_owned())
        };
        let (tls, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(("ws" | "wss", _)) => {
                return Err(wrong(
                    "is not a target",
                    "write http:// or https://, and protocol = \"ws\"",
                ));
            }
            _ => return Err(wrong("is not a target", "write \"https://127.0.0.1:8443\"")),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(wrong("has a path", "write it as the `path` of a [[request]]"));
        }
        if authority.contains('@') {
            return Err(wrong("has a user", "write an `authorization` header into a [[request]]"));
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None if tls => Some(443),
            None => Some(80),
            Some(port) => port.parse::<u16>().ok().filter(|port| *port > 0),
        };
        let port = port.ok_or_else(|| {
            wrong("has no port of 1 to 65535", "write \"https://127.0.0.1:8443\"")
        })?;
        let host = Host::read(host).ok_or_else(|| {
            wrong("has no host that is a name or an address", "write \"https://127.0.0.1:8443\"")
        })?;
        Ok(Self { tls, host, port })
    }

    /// The host, and the port where it is not the scheme's own: the value of `Host`.
    pub(crate) fn authority(&self, host: &str) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host.to_owned(),
            (_, port) => format!("{host}:{port}"),
        }
    }
}

/// A port is behind the last colon, and behind the bracket of an IPv6 address.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

impl Host {
    fn read(text: &str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Some(Self::Address(IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return address.is_ipv4().then_some(Self::Address(address));
        }
        let is_name = !text.is_empty()
            && text.len() <= 253
            && text.split('.').all(|label| {
                let letters =
                    label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                letters && (1..=63).contains(&label.len())
            });
        is_name.then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Host {
    /// As it stands in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_a_scheme_a_host_and_a_port() {
        for (text, shown) in [
            ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
            ("http://Shop.localhost/", "http://shop.localhost:80"),
            ("https://[::1]:9", "https://[::1]:9"),
            ("https://[::1]", "https://[::1]:443"),
        ] {
            assert_eq!(Target::read(text).unwrap().to_string(), shown);
        }
        for text in [
            "127.0.0.1:80",
            "ftp://a",
            "https://",
            "https://a:0",
            "https://a:70000",
            "https://::1",
            "https://a/b",
            "https://u@a",
            "https://a b",
            "https://[127.0.0.1]",
            "https://a..b",
            "wss://a",
        ] {
            assert!(Target::read(text).is_err(), "{text}");
        }
    }
}
