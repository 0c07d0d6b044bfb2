//! What the plan is made of, on disk.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use gateway_certs::Certificate;
use gateway_config::model::Acme;
use serde::Serialize;

use super::entry::{Damage, Entry};
use super::mark::Mark;
use super::{Event, Observer};
use crate::authority::{known, local};
use crate::failure::Failure;
use crate::moment::Moment;
use crate::names::{hash, slug};
use crate::plan::{Ca, CaRecord, Planned, Planner, Record};
use crate::storage::{Storage, StorageError, store_json};

/// Reads and writes what is kept, and remembers what it has written.
#[derive(Debug)]
pub(super) struct Ledger {
    storage: Arc<dyn Storage>,
    records: BTreeMap<String, Record>,
    cas: BTreeMap<String, CaRecord>,
    /// Certificates that are served and not kept yet, with the order that they came from.
    bundles: Vec<(String, String, Vec<u8>)>,
}

impl Ledger {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, records: BTreeMap::new(), cas: BTreeMap::new(), bundles: Vec::new() }
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Reads everything into the entries and a new plan. With an observer, what is damaged is moved
    /// aside and reported, and attempts that were cut off are counted; without, nothing is touched.
    pub(super) fn load(
        &self,
        entries: &mut [Entry],
        acme: &Acme,
        observer: Option<&dyn Observer>,
        now: Moment,
    ) -> Result<Planner, StorageError> {
        let cas: Vec<Ca> = acme.directories.iter().map(known::plan).collect();
        let mut ca_records = BTreeMap::new();
        for ca in &cas {
            for directory in [Some(&ca.directory), ca.staging.as_ref()].into_iter().flatten() {
                let record = self.load_ca(directory, observer)?;
                ca_records.insert(directory.clone(), record);
            }
        }
        let mut certificates = Vec::with_capacity(entries.len());
        for entry in entries.iter_mut() {
            entry.damaged.clear();
            if let Some(damage) = entry.load(&*self.storage)? {
                self.damaged(entry, &damage, observer)?;
            }
            let record = match entry.load_record(&*self.storage)? {
                Ok(record) => record,
                Err(damage) => {
                    self.damaged(entry, &damage, observer)?;
                    Record::default()
                }
            };
            let (lifetime, seed) = (entry.lifetime(), hash(entry.id.as_bytes()));
            certificates.push(match observer {
                Some(_) => Planned::new(record, lifetime, seed, now),
                None => Planned::observed(record, lifetime, seed),
            });
        }
        let mut planner = Planner::new(cas, ca_records, certificates);
        for (index, entry) in entries.iter().enumerate() {
            if Mark::load(&*self.storage, &entry.mark_key())?.is_some_and(|mark| mark.is_of(entry))
            {
                planner.revoked(index);
            }
        }
        Ok(planner)
    }

    /// Every certificate that is kept, whatever for, and valid at `now`.
    pub(super) fn all_valid(&self, now: Moment) -> Result<Vec<Arc<Certificate>>, StorageError> {
        let mut all = Vec::new();
        for key in self.storage.keys()?.iter().filter(|key| key.ends_with(".pem")) {
            let Some(content) = self.storage.load(key)? else { continue };
            let read = gateway_certs::load_bundle(Path::new(key), &content, now.system_time());
            all.extend(read.ok().map(Arc::new));
        }
        Ok(all)
    }

    /// Reports what is of no use, or notes it where there is nobody to report to.
    fn damaged(
        &self,
        entry: &mut Entry,
        damage: &Damage,
        observer: Option<&dyn Observer>,
    ) -> Result<(), StorageError> {
        if observer.is_none() {
            let file = self.storage.describe(&damage.key);
            entry.damaged.push(format!("{file} is of no use ({}).", damage.why));
        }
        self.report(damage, observer)
    }

    pub(super) fn load_ca(
        &self,
        directory: &str,
        observer: Option<&dyn Observer>,
    ) -> Result<CaRecord, StorageError> {
        let key = ca_key(directory);
        let Some(content) = self.storage.load(&key)? else { return Ok(CaRecord::default()) };
        match serde_json::from_slice(&content) {
            Ok(record) => Ok(record),
            Err(error) => {
                self.report(&Damage { key, why: error.to_string() }, observer)?;
                Ok(CaRecord::default())
            }
        }
    }

    fn report(&self, damage: &Damage, observer: Option<&dyn Observer>) -> Result<(), StorageError> {
        let Some(observer) = observer else { return Ok(()) };
        let what = self.storage.describe(&damage.key);
        let aside = self.storage.set_aside(&damage.key)?;
        observer.event(&Event::Damaged { what, aside, why: damage.why.clone() });
        Ok(())
    }

    /// Tells the plan which certificates have been revoked, by the marks that stand in the storage; a
    /// mark whose certificate has been replaced is removed.
    pub(super) fn heed_marks(
        &self,
        entries: &[Entry],
        planner: &mut Planner,
    ) -> Result<(), StorageError> {
        let keys: HashSet<String> = self.storage.keys()?.into_iter().collect();
        for (index, entry) in entries.iter().enumerate() {
            let key = entry.mark_key();
            if !keys.contains(&key) {
                continue;
            }
            match Mark::load(&*self.storage, &key)? {
                Some(mark) if mark.is_of(entry) => planner.revoked(index),
                _ => self.storage.remove(&key)?,
            }
        }
        Ok(())
    }

    /// A certificate that is to be kept; the order that it came from is not needed afterwards.
    pub(super) fn add_bundle(&mut self, key: String, order_key: String, bundle: Vec<u8>) {
        self.bundles.retain(|(other, ..)| *other != key);
        self.bundles.push((key, order_key, bundle));
    }

    /// Writes whatever has changed: certificates first, then what the ledger says about them.
    pub(super) fn keep(&mut self, entries: &[Entry], planner: &Planner) -> Result<(), Failure> {
        while let Some((key, order_key, bundle)) = self.bundles.last() {
            self.storage.store(key, bundle).map_err(local)?;
            self.storage.remove(order_key).map_err(local)?;
            self.bundles.pop();
        }
        for (entry, planned) in entries.iter().zip(planner.certificates()) {
            let known = self.records.get(&entry.id);
            if known != Some(&planned.record)
                && (known.is_some() || planned.record != Record::default())
            {
                self.store(&entry.record_key(), &planned.record)?;
                self.records.insert(entry.id.clone(), planned.record.clone());
            }
        }
        for ca in planner.cas() {
            for directory in [Some(&ca.directory), ca.staging.as_ref()].into_iter().flatten() {
                let record = planner.ca_record(directory);
                if self.cas.get(directory) != Some(&record) && record != CaRecord::default() {
                    self.store(&ca_key(directory), &record)?;
                    self.cas.insert(directory.clone(), record);
                }
            }
        }
        Ok(())
    }

    fn store(&self, key: &str, record: &impl Serialize) -> Result<(), Failure> {
        store_json(&*self.storage, key, record).map_err(local)
    }
}

pub(super) fn ca_key(directory: &str) -> String {
    format!("ca-{}.json", slug(directory))
}
