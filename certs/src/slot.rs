//! The place of a certificate that is replaced while it is served.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use gateway_config::model::HostPattern;
use parking_lot::Mutex;

use crate::certificate::Certificate;
use crate::local_ca::{IssueError, LocalCa};

/// What hosts are served with whose certificates come and go: handshakes read it without a lock, and
/// whoever has a newer certificate puts it here. Connections that are open keep what they began with.
#[derive(Debug, Default)]
pub struct Slot {
    served: ArcSwap<Served>,
}

/// What a [`Slot`] holds, the best first.
#[derive(Debug, Default)]
pub struct Served {
    /// The certificates that belong here, the most wanted kind of key first.
    pub certificates: Vec<Arc<Certificate>>,
    /// Others that cover some of the hosts, until there are some that belong here.
    lent: Vec<Arc<Certificate>>,
    /// One of the local CA, until there are others.
    stand_in: Option<Arc<Certificate>>,
}

impl Served {
    /// Whether there is nothing to lose: none of the certificates that belong here is there.
    #[must_use]
    pub fn wants_better(&self) -> bool {
        self.certificates.is_empty()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.certificates.iter().chain(&self.lent).chain(&self.stand_in)
    }
}

impl Slot {
    /// What is served now.
    #[must_use]
    pub fn load(&self) -> Arc<Served> {
        self.served.load_full()
    }

    /// Serves these from now on.
    pub fn store(&self, mut certificates: Vec<Arc<Certificate>>) {
        certificates.sort_by_key(|certificate| certificate.key_kind());
        self.served.store(Arc::new(Served { certificates, ..Served::default() }));
    }

    /// Serves these for the hosts that they cover, while nothing better is here: what a site had
    /// before it got another alias, for instance.
    pub fn lend(&self, lent: Vec<Arc<Certificate>>) {
        let now = self.load();
        if now.wants_better() {
            let stand_in = now.stand_in.clone();
            self.served.store(Arc::new(Served { lent, stand_in, ..Served::default() }));
        }
    }

    /// Serves this for want of a better one.
    pub(crate) fn stand_in(&self, certificate: Arc<Certificate>) {
        let now = self.load();
        if now.wants_better() {
            let (lent, stand_in) = (now.lent.clone(), Some(certificate));
            self.served.store(Arc::new(Served { lent, stand_in, ..Served::default() }));
        }
    }

    /// [`Served::wants_better`], now.
    #[must_use]
    pub fn wants_better(&self) -> bool {
        self.served.load().wants_better()
    }
}

/// The slots of a process, by the hosts that share a certificate. They outlive configurations: hosts
/// that a new one has too go on with what they have.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    by_hosts: Arc<Mutex<HashMap<Vec<HostPattern>, Arc<Slot>>>>,
    issued: Arc<Mutex<Issued>>,
}

/// Certificates of the local CA, by the hosts that they were issued for.
#[derive(Debug, Default)]
struct Issued {
    /// The root that they are of.
    root_pem: String,
    by_hosts: HashMap<Vec<HostPattern>, Arc<Certificate>>,
}

impl Slots {
    /// The slot of these hosts, made empty where there was none.
    #[must_use]
    pub fn of(&self, hosts: &[HostPattern]) -> Arc<Slot> {
        let mut slots = self.by_hosts.lock();
        match slots.get(hosts) {
            Some(slot) => slot.clone(),
            None => slots.entry(hosts.to_vec()).or_default().clone(),
        }
    }

    /// A certificate of the local CA for these hosts: the one that they have, where it is not due to
    /// be renewed.
    ///
    /// # Errors
    /// As [`LocalCa::issue`].
    pub(crate) fn issue(
        &self,
        ca: &LocalCa,
        hosts: &[HostPattern],
        now: SystemTime,
    ) -> Result<Arc<Certificate>, IssueError> {
        let mut issued = self.issued.lock();
        if issued.root_pem != ca.root_pem() {
            *issued = Issued { root_pem: ca.root_pem().to_owned(), ..Issued::default() };
        }
        let known = issued.by_hosts.get(hosts).filter(|known| now < known.renew_at());
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let fresh = Arc::new(ca.issue(hosts, now)?);
        issued.by_hosts.insert(hosts.to_vec(), fresh.clone());
        Ok(fresh)
    }

    /// Forgets the local CA's certificates for hosts that are not among these.
    pub(crate) fn keep_issued(&self, hosts: &HashSet<Vec<HostPattern>>) {
        self.issued.lock().by_hosts.retain(|one, _| hosts.contains(one));
    }
}
