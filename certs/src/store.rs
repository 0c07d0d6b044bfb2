//! Which certificate answers to which name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use gateway_config::model::HostPattern;
use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use crate::Clock;
use crate::certificate::Certificate;
use crate::local_ca::{IssueError, LocalCa};
use crate::on_demand::OnDemand;
use crate::slot::Slot;
use crate::subject_name::SubjectName;

/// Every certificate by the names that it is served for. Built once ([`CertStoreBuilder`]) and then
/// only read, without a lock; a new configuration is a new store.
#[derive(Debug)]
pub struct CertStore {
    exact: HashMap<Box<str>, Entry>,
    wildcards: HashMap<Box<str>, Entry>,
    addresses: HashMap<IpAddr, Entry>,
    any: Option<Entry>,
    on_demand: Option<(usize, OnDemand)>,
}

/// The certificates of one host.
#[derive(Debug, Clone)]
struct Entry {
    site: usize,
    certificates: Certificates,
}

/// The most wanted kind of key first.
#[derive(Debug, Clone)]
enum Certificates {
    /// Never empty.
    Fixed(Arc<[Arc<Certificate>]>),
    /// Replaced while they are served; those that cover the host are meant.
    Live(Arc<Slot>, HostPattern),
}

/// What a name resolves to.
#[derive(Debug)]
pub enum Resolved {
    /// A site, and the certificate that suits this client best. Where none of the site's suits it,
    /// the first: the handshake then ends with the alert that says so.
    Found {
        /// The index that the site was added under.
        site: usize,
        /// The chain and key.
        key: Arc<CertifiedKey>,
    },
    /// No site has this name, and there is none for `*`: refuse the handshake with
    /// [`UNRECOGNIZED_NAME_ALERT`](crate::UNRECOGNIZED_NAME_ALERT).
    UnknownName,
    /// A `*` site has it, and the local CA issued no certificate for it.
    Failed {
        /// The index that the site was added under.
        site: usize,
        /// Why.
        source: IssueError,
    },
}

impl CertStore {
    /// What a client gets that names `sni` (none: it connected by address, or is very old), came in
    /// at `local_ip`, and understands these signature schemes.
    ///
    /// The most specific name wins: exact, then wildcard, then `*`. Without a name it is the site
    /// that is called like the local address, then `*`. A name in lower case is looked up without
    /// an allocation.
    #[must_use]
    pub fn resolve(
        &self,
        sni: Option<&str>,
        local_ip: IpAddr,
        signature_schemes: &[SignatureScheme],
    ) -> Resolved {
        self.find(sni, Some(local_ip), signature_schemes)
    }

    fn find(
        &self,
        sni: Option<&str>,
        local_ip: Option<IpAddr>,
        schemes: &[SignatureScheme],
    ) -> Resolved {
        let local_ip = local_ip.map(|ip| ip.to_canonical());
        let entry = match (sni, local_ip) {
            (Some(name), _) => self.entry_of_name(&canonical(name)),
            (None, Some(ip)) => self.addresses.get(&ip),
            (None, None) => None,
        };
        match entry.or(self.any.as_ref()) {
            Some(entry) => entry.choose(schemes),
            None => self.make(sni, local_ip),
        }
    }

    fn entry_of_name(&self, name: &str) -> Option<&Entry> {
        self.exact.get(name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.wildcards.get(parent)
        })
    }

    fn make(&self, sni: Option<&str>, local_ip: Option<IpAddr>) -> Resolved {
        let name = sni.map(|name| SubjectName::Dns(canonical(name).into_owned()));
        let name = name.or(local_ip.map(SubjectName::Ip));
        let (Some((site, on_demand)), Some(name)) = (&self.on_demand, name) else {
            return Resolved::UnknownName;
        };
        match on_demand.leaf(name) {
            Ok(leaf) => Resolved::Found { site: *site, key: Arc::clone(leaf.certified_key()) },
            Err(source) => Resolved::Failed { site: *site, source },
        }
    }
}

impl Entry {
    fn new(site: usize, mut certificates: Vec<Arc<Certificate>>) -> Self {
        certificates.sort_by_key(|certificate| certificate.key_kind());
        Self { site, certificates: Certificates::Fixed(certificates.into()) }
    }

    fn choose(&self, schemes: &[SignatureScheme]) -> Resolved {
        let chosen = match &self.certificates {
            Certificates::Fixed(certificates) => suiting(certificates.iter(), schemes),
            Certificates::Live(slot, host) => {
                let served = slot.load();
                suiting(served.all().filter(|certificate| certificate.covers(host)), schemes)
            }
        };
        match chosen {
            Some(key) => Resolved::Found { site: self.site, key },
            None => Resolved::UnknownName,
        }
    }
}

/// The first whose key the client understands, or else the first.
fn suiting<'a>(
    certificates: impl Iterator<Item = &'a Arc<Certificate>>,
    schemes: &[SignatureScheme],
) -> Option<Arc<CertifiedKey>> {
    let mut first = None;
    for certificate in certificates {
        if certificate.signs_with(schemes) {
            return Some(Arc::clone(certificate.certified_key()));
        }
        first = first.or(Some(certificate));
    }
    first.map(|certificate| Arc::clone(certificate.certified_key()))
}

/// Lower case and without a trailing dot, as the maps are keyed.
fn canonical(name: &str) -> Cow<'_, str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

/// For handshakes where the client's SNI decides. One without SNI gets what `*` has; where a site is
/// called like an address, use [`config_for_address`](crate::config_for_address).
impl ResolvesServerCert for CertStore {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name(), None, hello.signature_schemes()).into_key()
    }
}

impl Resolved {
    pub(crate) fn into_key(self) -> Option<Arc<CertifiedKey>> {
        match self {
            Self::Found { key, .. } => Some(key),
            Self::UnknownName | Self::Failed { .. } => None,
        }
    }
}

/// Hosts of a site that none of its certificates covers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no certificate covers {}", list(.hosts))]
pub struct NotCovered {
    /// The hosts, in the order of the site; never empty.
    pub hosts: Vec<HostPattern>,
}

/// Names in backquotes with commas between.
pub(crate) fn list<T: std::fmt::Display>(names: &[T]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Collects what a [`CertStore`] is made of.
#[derive(Debug, Default)]
pub struct CertStoreBuilder {
    exact: HashMap<Box<str>, Entry>,
    wildcards: HashMap<Box<str>, Entry>,
    addresses: HashMap<IpAddr, Entry>,
    any: Option<Entry>,
    on_demand: Option<(usize, OnDemand)>,
}

impl CertStoreBuilder {
    /// An empty one: it resolves nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves each host with those of the certificates that cover it. No two sites may have the
    /// same host; where they do, the later one has it.
    ///
    /// # Errors
    /// [`NotCovered`] names the hosts that no certificate covers; the others have been added.
    pub fn add_site(
        &mut self,
        site: usize,
        hosts: &[HostPattern],
        certificates: &[Arc<Certificate>],
    ) -> Result<(), NotCovered> {
        let mut uncovered = Vec::new();
        for host in hosts {
            let covering: Vec<_> = certificates
                .iter()
                .filter(|certificate| certificate.covers(host))
                .cloned()
                .collect();
            match covering.is_empty() {
                true => uncovered.push(host.clone()),
                false => self.add_host(host, Entry::new(site, covering)),
            }
        }
        match uncovered.is_empty() {
            true => Ok(()),
            false => Err(NotCovered { hosts: uncovered }),
        }
    }

    /// Serves each host with what the slot holds at the time; it should never be empty.
    pub fn add_live(&mut self, site: usize, hosts: &[HostPattern], slot: &Arc<Slot>) {
        for host in hosts {
            let certificates = Certificates::Live(slot.clone(), host.clone());
            self.add_host(host, Entry { site, certificates });
        }
    }

    fn add_host(&mut self, host: &HostPattern, entry: Entry) {
        match host {
            HostPattern::Exact(host) => {
                if let Some(ip) = host.ip() {
                    self.addresses.insert(ip.to_canonical(), entry);
                } else {
                    self.exact.insert(host.as_str().into(), entry);
                }
            }
            HostPattern::Wildcard(parent) => {
                self.wildcards.insert(parent.as_str().into(), entry);
            }
            HostPattern::Any => self.any = Some(entry),
        }
    }

    /// Serves every name that nothing else claims with a certificate that the local CA makes when
    /// the name is asked for. At most 1024 of them are remembered.
    pub fn add_on_demand(&mut self, site: usize, ca: Arc<LocalCa>, clock: Clock) {
        self.on_demand = Some((site, OnDemand::new(ca, clock)));
    }

    /// The store.
    #[must_use]
    pub fn build(self) -> CertStore {
        let Self { exact, wildcards, addresses, any, on_demand } = self;
        CertStore { exact, wildcards, addresses, any, on_demand }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_name_is_looked_up_as_it_is() {
        for name in ["a.test", "xn--bcher-kva.test", "a.test.", "_srv.a.test", ""] {
            assert!(matches!(canonical(name), Cow::Borrowed(_)), "{name} was copied");
        }
        assert_eq!(canonical("A.tEst."), "a.test");
    }
}
