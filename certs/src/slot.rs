//! The place of a certificate that is replaced while it is served.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway_config::model::HostPattern;
use parking_lot::Mutex;

use crate::certificate::Certificate;

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
}
