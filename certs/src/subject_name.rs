//! The names that a certificate is made out to.

use std::fmt;
use std::net::IpAddr;

use gateway_config::model::{Host, HostPattern};

/// One name of a certificate's subjectAltName extension (RFC 5280, section 4.2.1.6), lower case and
/// without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectName {
    /// A DNS name.
    Dns(String),
    /// `*.` and the name held here. The star stands for exactly one label (RFC 6125, section 6.4.3).
    Wildcard(String),
    /// An IP address.
    Ip(IpAddr),
}

impl SubjectName {
    /// A name as a certificate's dNSName or a client's SNI spells it.
    pub(crate) fn from_dns(name: &str) -> Self {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        match name.strip_prefix("*.") {
            Some(parent) => Self::Wildcard(parent.to_owned()),
            None => Self::Dns(name),
        }
    }

    /// A certificate's iPAddress; `None` where it has neither 4 nor 16 bytes.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        if let Ok(v4) = <[u8; 4]>::try_from(octets) {
            return Some(Self::Ip(IpAddr::from(v4)));
        }
        let v6 = <[u8; 16]>::try_from(octets).ok()?;
        Some(Self::Ip(IpAddr::from(v6)))
    }

    /// The name that a certificate for this pattern carries; `None` for `*`, which is no name.
    pub(crate) fn of_pattern(pattern: &HostPattern) -> Option<Self> {
        match pattern {
            HostPattern::Exact(host) => Some(Self::of_host(host)),
            HostPattern::Wildcard(parent) => Some(Self::Wildcard(parent.as_str().to_owned())),
            HostPattern::Any => None,
        }
    }

    /// The name that a certificate for this host carries.
    pub(crate) fn of_host(host: &Host) -> Self {
        match host.ip() {
            Some(ip) => Self::Ip(ip),
            None => Self::Dns(host.as_str().to_owned()),
        }
    }

    /// Whether a client that asks for `wanted` accepts a certificate with this name.
    pub(crate) fn covers(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Wildcard(parent), Self::Dns(name)) => {
                name.split_once('.').is_some_and(|(_, rest)| rest == parent)
            }
            _ => self == wanted,
        }
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Wildcard(parent) => write!(f, "*.{parent}"),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}
