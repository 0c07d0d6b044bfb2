//! The TXT record of a challenge.

use hickory_resolver::proto::rr::Name;

use super::DnsError;

/// A TXT record whose name and value were checked: a plain DNS name, and base64url. Other values
/// may stand beside it at the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxtRecord {
    name: String,
    value: String,
}

impl TxtRecord {
    /// The record `value` at `name`, such as `_acme-challenge.example.com`.
    ///
    /// # Errors
    /// [`DnsError::Name`] and [`DnsError::Value`].
    pub fn new(name: &str, value: &str) -> Result<Self, DnsError> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if !is_name(&name) {
            return Err(DnsError::Name { name });
        }
        if !is_base64url(value) {
            return Err(DnsError::Value { name });
        }
        Ok(Self { name, value: value.to_owned() })
    }

    /// The name, in lower case and without a dot at its end.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn dns_name(&self) -> Result<Name, DnsError> {
        fqdn(&self.name).ok_or_else(|| DnsError::Name { name: self.name.clone() })
    }
}

/// A name with its root, so that no search list is applied to it.
pub(crate) fn fqdn(name: &str) -> Option<Name> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// As people write it: without the root's dot.
pub(crate) fn shown(name: &Name) -> String {
    let text = name.to_ascii();
    match text.strip_suffix('.') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

/// The name and what it is under, the longest first, without the root.
pub(crate) fn and_ancestors(name: &Name) -> impl Iterator<Item = Name> {
    std::iter::successors(Some(name.clone()), |name| Some(name.base_name()))
        .take_while(|name| !name.is_root())
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        matches!(label.len(), 1..=63)
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// One character-string of TXT holds up to 255 bytes; a challenge has 43.
fn is_base64url(value: &str) -> bool {
    matches!(value.len(), 1..=255)
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_and_values() {
        let record = TxtRecord::new("_acme-challenge.Example.COM.", "aB3-_").unwrap();
        assert_eq!((record.name(), record.value()), ("_acme-challenge.example.com", "aB3-_"));
        let long = "a".repeat(64);
        for name in ["", ".", "a..b", "-rf.example", "a b", "a;b", "ä.example", "a\n", &long] {
            assert!(matches!(TxtRecord::new(name, "a"), Err(DnsError::Name { .. })), "{name:?}");
        }
        let long = "a".repeat(256);
        for value in ["", "a b", "a=", "a+b", "\"", "$(a)", "a\n", &long] {
            assert!(matches!(TxtRecord::new("a", value), Err(DnsError::Value { .. })), "{value:?}");
        }
    }

    #[test]
    fn the_walk_to_the_zone() {
        let name = fqdn("_acme-challenge.a.example.com").unwrap();
        let walk: Vec<_> = and_ancestors(&name).map(|name| shown(&name)).collect();
        let expected = ["_acme-challenge.a.example.com", "a.example.com", "example.com", "com"];
        assert_eq!(walk, expected);
        assert_eq!(shown(&Name::root()), ".");
    }
}
