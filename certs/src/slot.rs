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

/// What a [`Slot`] holds.
#[derive(Debug, Default)]
pub struct Served {
    /// The certificates, the most wanted kind of key first.
    pub certificates: Vec<Arc<Certificate>>,
    /// Whether they are the local CA's, until there are others.
    pub stand_in: bool,
}

impl Slot {
    /// What is served now.
    #[must_use]
    pub fn load(&self) -> Arc<Served> {
        self.served.load_full()
    }

    /// Serves these from now on.
    pub fn store(&self, certificates: Vec<Arc<Certificate>>) {
        self.replace(certificates, false);
    }

    /// Serves this for want of a better one.
    pub(crate) fn stand_in(&self, certificate: Arc<Certificate>) {
        self.replace(vec![certificate], true);
    }

    /// Whether there is nothing to lose: no certificate at all, or one of the local CA.
    #[must_use]
    pub fn wants_better(&self) -> bool {
        let served = self.served.load();
        served.stand_in || served.certificates.is_empty()
    }

    fn replace(&self, mut certificates: Vec<Arc<Certificate>>, stand_in: bool) {
        certificates.sort_by_key(|certificate| certificate.key_kind());
        self.served.store(Arc::new(Served { certificates, stand_in }));
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
