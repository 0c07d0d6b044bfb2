//! Where certificates are served from.

use std::sync::Arc;

use gateway_certs::{Certificate, Slot};

use super::Keeper;
use crate::authority::Finished;
use crate::moment::Moment;
use crate::storage::StorageError;

impl Keeper {
    /// Serves a certificate that was just issued, and keeps it. Where it cannot be kept it is served
    /// all the same, and kept later.
    pub(super) fn serve(&mut self, certificate: usize, finished: Finished) {
        let Some(entry) = self.entries.get_mut(certificate) else { return };
        entry.current = Some(finished.certificate);
        self.ledger.add_bundle(
            entry.bundle_key(),
            format!("{}.order.json", entry.id),
            finished.bundle,
        );
        let slot = entry.slot.clone();
        self.serve_slot(&slot);
    }

    pub(super) fn serve_all(&self) {
        for entry in &self.entries {
            self.serve_slot(&entry.slot);
        }
    }

    /// Where hosts have no certificate of their own yet, others that are kept may cover some of them:
    /// those of the site before it got another alias. They are better than the local CA's.
    pub(super) fn lend(&self, now: Moment) -> Result<(), StorageError> {
        let wanting = || self.entries.iter().filter(|entry| entry.slot.wants_better());
        if wanting().next().is_none() {
            return Ok(());
        }
        let all = self.ledger.all_valid(now)?;
        for entry in wanting() {
            let covers = |certificate: &&Arc<Certificate>| {
                entry.hosts.iter().any(|host| certificate.covers(host))
            };
            let lent: Vec<_> = all.iter().filter(covers).cloned().collect();
            if !lent.is_empty() {
                entry.slot.lend(lent);
            }
        }
        Ok(())
    }

    /// Puts into a slot what belongs there: certificates of each kind of key. One that has ended is
    /// better than none of ours, since some clients go on.
    fn serve_slot(&self, slot: &Arc<Slot>) {
        let of_slot = self.entries.iter().filter(|entry| Arc::ptr_eq(&entry.slot, slot));
        let current: Vec<_> = of_slot.filter_map(|entry| entry.current.clone()).collect();
        if !current.is_empty() {
            slot.store(current);
        }
    }
}
