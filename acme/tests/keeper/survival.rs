//! Never worse than before: whatever the CA sends, the disk does, or kills the process.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use gateway_acme::storage::{Disk, Lease, Storage, StorageError};
use gateway_certs::Resolved;
use gateway_config::model::HostPattern;

use crate::pebble::{self, Options, Pebble};
use crate::rig::{Rig, directory};
use crate::small_ca::{Flaw, Kind, Settings, SmallCa, Trouble};

async fn with_ca() -> (Rig, SmallCa) {
    let ca = SmallCa::start(Settings::default()).await;
    let rig = Rig::new(vec![directory(ca.directory_url(), None)]);
    let clock = rig.clock();
    ca.set(|settings| settings.clock = clock);
    (rig, ca)
}

#[tokio::test]
async fn a_certificate_that_is_of_no_use_replaces_none() {
    let (rig, ca) = with_ca().await;
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
    let (rig, _ca) = with_ca().await;
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
    let (rig, ca) = with_ca().await;
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
        let (rig, ca) = with_ca().await;
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
    let (rig, ca) = with_ca().await;
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

#[tokio::test]
async fn the_second_process_serves_what_the_first_wins_and_takes_over() {
    let (rig, ca) = with_ca().await;
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
    let (rig, ca) = with_ca().await;
    rig.run(async {
        rig.told("acme_issued", 1).await;
        let first = rig.served()[0].serial().to_owned();
        ca.set_outage(true);
        for _ in 0..28 {
            rig.pass_days(1);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        assert_eq!(rig.served()[0].serial(), first);
        ca.set_outage(false);
        for _ in 0..60 {
            rig.pass_days(1);
            tokio::time::sleep(Duration::from_millis(30)).await;
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
    let options = Options { always_valid: true, validation_sleep: Some(1), ..Options::default() };
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
    let (rig, ca) = with_ca().await;
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
