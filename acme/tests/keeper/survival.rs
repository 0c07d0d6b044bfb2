//! Never worse than before: whatever the CA sends, the disk does, or kills the process.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use gateway_acme::storage::{Disk, Lease, Storage, StorageError};
use gateway_certs::Resolved;
use gateway_config::model::HostPattern;

use crate::pebble::{self, Options, Pebble};
use crate::rig::{Rig, directory, with_ca};
use crate::small_ca::{Flaw, Kind, Trouble};

#[tokio::test]
async fn a_certificate_that_is_of_no_use_replaces_none() {
    let (rig, ca) = with_ca(|_| {}).await;
    rig.run(async {
        rig.told("acme_issued", 1).await;
        let first = rig.served()[0].serial().to_owned();
        let flaws =
            [Flaw::OtherName, Flaw::OtherKey, Flaw::Expired, Flaw::NotYetValid, Flaw::NoPem];
        rig.pass_days(62);
        for (times, flaw) in flaws.into_iter().enumerate() {
            ca.always(Kind::Finalize, Trouble::Certificate(flaw));
            rig.pass(86_400);
            rig.told("acme_failed", times + 1).await;
            assert_eq!(rig.served()[0].serial(), first, "{flaw:?}");
        }
        ca.calm();
        rig.pass(86_400 * 2);
        rig.told("acme_issued", 2).await;
    })
    .await;
}

#[tokio::test]
async fn keys_are_the_gateways_users_own() {
    let (rig, _ca) = with_ca(|_| {}).await;
    rig.run(rig.told("acme_issued", 1)).await;
    let folder = rig.dir.path().join("acme");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in rig.files() {
        assert_eq!(mode(&folder.join(&file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn damaged_files_are_moved_aside_and_had_again() {
    let (rig, ca) = with_ca(|_| {}).await;
    rig.run(rig.told("acme_issued", 1)).await;
    for file in rig.files().iter().filter(|file| !file.ends_with(".lock")) {
        std::fs::write(rig.dir.path().join("acme").join(file), "}{ nonsense").unwrap();
    }
    let again = rig.again();
    again.run(again.told("acme_issued", 1)).await;
    assert!(again.told.count("acme_damaged") >= 2, "{:?}", again.told.events.lock().unwrap());
    let aside = rig.files().into_iter().filter(|file| file.contains("corrupt")).count();
    assert!(aside >= 3, "{:?}", rig.files());
    assert_eq!(ca.count(Kind::NewOrder), 2);
}

/// A disk that after some writes takes no more: the process was killed then, or it is full.
#[derive(Debug)]
struct Dying {
    disk: Disk,
    writes: AtomicUsize,
    after: usize,
    /// Only what is called so is not taken.
    ending: &'static str,
}

impl Dying {
    fn check(&self, key: &str) -> Result<(), StorageError> {
        if !key.ends_with(self.ending) || self.writes.fetch_add(1, SeqCst) < self.after {
            return Ok(());
        }
        let source = std::io::ErrorKind::StorageFull.into();
        Err(StorageError::Write { path: key.into(), source })
    }
}

impl Storage for Dying {
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.disk.load(key)
    }
    fn store(&self, key: &str, content: &[u8]) -> Result<(), StorageError> {
        self.check(key)?;
        self.disk.store(key, content)
    }
    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.check(key)?;
        self.disk.remove(key)
    }
    fn set_aside(&self, key: &str) -> Result<String, StorageError> {
        self.disk.set_aside(key)
    }
    fn keys(&self) -> Result<Vec<String>, StorageError> {
        self.disk.keys()
    }
    fn try_lock(&self, name: &str) -> Result<Option<Box<dyn Lease>>, StorageError> {
        self.disk.try_lock(name)
    }
    fn describe(&self, key: &str) -> String {
        self.disk.describe(key)
    }
}

#[tokio::test]
async fn killed_at_every_write_and_started_again() {
    for after in 0..16 {
        let (rig, ca) = with_ca(|_| {}).await;
        let disk = Disk::open(rig.dir.path()).unwrap();
        let dying = Arc::new(Dying { disk, writes: AtomicUsize::new(0), after, ending: "" });
        let keeper = rig.keeper_with(dying.clone()).unwrap();
        let dead = rig.until("the last write, or a certificate", || {
            let dead = dying.writes.load(SeqCst) > after;
            (dead || rig.told.count("acme_issued") > 0).then_some(dead)
        });
        tokio::select! {
            () = keeper.run(std::future::pending()) => unreachable!("it runs for ever"),
            _ = dead => {}
        }
        let again = rig.again();
        again.pass(120);
        again
            .run(again.until("a certificate", || (!again.served().is_empty()).then_some(())))
            .await;
        assert!(ca.count(Kind::NewOrder) <= 2, "killed after {after} writes: {:?}", ca.seen());
    }
}

#[tokio::test]
async fn without_a_ledger_no_order_and_a_full_disk_loses_no_certificate() {
    let (rig, ca) = with_ca(|_| {}).await;
    let full = |ending| {
        let disk = Disk::open(rig.dir.path()).unwrap();
        Arc::new(Dying { disk, writes: AtomicUsize::new(0), after: 0, ending })
    };
    let keeper = rig.keeper_with(full("")).unwrap();
    tokio::select! {
        () = keeper.run(std::future::pending()) => unreachable!("it runs for ever"),
        () = rig.told("acme_not_kept", 1) => {}
    }
    assert_eq!(ca.count(Kind::NewOrder), 0);
    let text = rig.told.last("acme_not_kept").unwrap();
    assert!(text.contains("Make room on its disk"), "{text}");

    // Full when the certificate comes: it is served all the same.
    rig.pass(120);
    let keeper = rig.keeper_with(full(".pem")).unwrap();
    tokio::select! {
        () = keeper.run(std::future::pending()) => unreachable!("it runs for ever"),
        () = rig.told("acme_issued", 1) => {}
    }
    assert_eq!(rig.served().len(), 1);
}

/// A storage in which a mistake lies.
#[derive(Debug)]
struct Mistaken(Disk, AtomicUsize);

impl Storage for Mistaken {
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.0.load(key)
    }
    fn store(&self, key: &str, content: &[u8]) -> Result<(), StorageError> {
        assert!(!key.ends_with(".order.json") || self.1.fetch_add(1, SeqCst) > 0, "a mistake");
        self.0.store(key, content)
    }
    fn remove(&self, key: &str) -> Result<(), StorageError> {
        self.0.remove(key)
    }
    fn set_aside(&self, key: &str) -> Result<String, StorageError> {
        self.0.set_aside(key)
    }
    fn keys(&self) -> Result<Vec<String>, StorageError> {
        self.0.keys()
    }
    fn try_lock(&self, name: &str) -> Result<Option<Box<dyn Lease>>, StorageError> {
        self.0.try_lock(name)
    }
    fn describe(&self, key: &str) -> String {
        self.0.describe(key)
    }
}

#[tokio::test]
async fn an_attempt_that_panics_is_a_failed_attempt_and_not_the_last() {
    let (rig, _ca) = with_ca(|_| {}).await;
    let disk = Disk::open(rig.dir.path()).unwrap();
    let keeper = rig.keeper_with(Arc::new(Mistaken(disk, AtomicUsize::new(0)))).unwrap();
    let test = async {
        rig.told("acme_failed", 1).await;
        let text = rig.told.last("acme_failed").unwrap();
        assert!(text.contains("a mistake in the gateway"), "{text}");
        rig.pass(120);
        rig.told("acme_issued", 1).await;
    };
    tokio::select! {
        () = keeper.run(std::future::pending()) => unreachable!("it runs for ever"),
        () = test => {}
    }
}

#[tokio::test]
async fn who_only_waits_for_the_lock_moves_nothing_aside() {
    let (rig, _ca) = with_ca(|_| {}).await;
    rig.run(async {
        rig.told("acme_issued", 1).await;
        let pem = rig.files().into_iter().find(|file| file.ends_with(".pem")).unwrap();
        std::fs::write(rig.dir.path().join("acme").join(&pem), "damaged").unwrap();
        let second = rig.again();
        second.run(second.told("acme_another_process", 1)).await;
        assert_eq!(second.told.count("acme_damaged"), 0);
        assert!(rig.files().contains(&pem), "{:?}", rig.files());
    })
    .await;
}

#[tokio::test]
async fn the_second_process_serves_what_the_first_wins_and_takes_over() {
    let (rig, ca) = with_ca(|_| {}).await;
    let second = rig.again();
    rig.run(async {
        rig.told("acme_issued", 1).await;
        let both = async {
            second.told("acme_another_process", 1).await;
            let same =
                || (second.served().first()?.serial() == rig.served()[0].serial()).then_some(());
            second.until("what the first has won", same).await;
        };
        second.run(both).await;
    })
    .await;
    second.pass_days(62);
    second.run(second.told("acme_issued", 1)).await;
    assert_eq!(ca.count(Kind::NewOrder), 2);
}

#[tokio::test]
async fn a_ca_that_is_away_for_weeks_changes_nothing_that_is_served() {
    let (rig, ca) = with_ca(|_| {}).await;
    rig.run(async {
        rig.told("acme_issued", 1).await;
        let first = rig.served()[0].serial().to_owned();
        ca.set_outage(true);
        for _ in 0..28 {
            rig.pass_days(1);
            rig.decided().await;
        }
        assert_eq!(rig.served()[0].serial(), first);
        ca.set_outage(false);
        for _ in 0..60 {
            rig.pass_days(1);
            rig.decided().await;
        }
        rig.told("acme_issued", 2).await;
    })
    .await;
}

#[tokio::test]
async fn pebble_is_killed_in_the_middle_of_an_order_and_comes_back_without_its_memory() {
    if !pebble::is_installed("a pebble that is killed in the middle of an order") {
        return;
    }
    let options = Options {
        always_valid: true,
        validation_sleep: Some(2),
        rejected_nonces: 50,
        ..Options::default()
    };
    let mut pebble = Pebble::start(options).await;
    let rig = Rig::new(vec![directory(pebble.directory_url(), Some(&pebble.ca_file()))]);
    let keeper = rig.keeper().unwrap();
    let test = async {
        rig.until("an order", || {
            rig.files().iter().any(|file| file.ends_with(".order.json")).then_some(())
        })
        .await;
        pebble.stop();
        rig.told("acme_failed", 1).await;
        pebble.restart().await;
        rig.pass(120);
        rig.told("acme_issued", 1).await;
    };
    tokio::select! {
        () = keeper.run(std::future::pending()) => unreachable!("it runs for ever"),
        () = test => {}
    }
    assert!(!rig.files().iter().any(|file| file.ends_with(".order.json")), "{:?}", rig.files());
}

#[tokio::test]
async fn another_alias_does_not_take_away_what_the_others_are_served_with() {
    let (rig, ca) = with_ca(|_| {}).await;
    rig.run(rig.told("acme_issued", 1)).await;
    let mut wider = rig.again();
    wider.hosts.push("b.test");
    ca.set_outage(true);
    drop(wider.keeper().unwrap());
    assert!(wider.slot.wants_better());
    let mut store = gateway_certs::CertStoreBuilder::new();
    let hosts = wider.hosts.iter().map(|host| HostPattern::parse(host).unwrap());
    store.add_live(0, &hosts.collect::<Vec<_>>(), &wider.slot);
    let store = store.build();
    let served = |name| store.resolve(Some(name), std::net::Ipv4Addr::LOCALHOST.into(), &[]);
    let Resolved::Found { key, .. } = served("a.test") else { panic!("nothing for a.test") };
    assert_eq!(key.cert, rig.served()[0].certified_key().cert);
    assert!(matches!(served("b.test"), Resolved::UnknownName), "not with a.test's");
    ca.set_outage(false);
    wider.run(wider.told("acme_issued", 1)).await;
}
