//! A keeper with a storage folder and a clock of its own, and everything that it tells.

use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use gateway_acme::storage::{Disk, Storage};
use gateway_acme::{Clock, Event, Keeper, KeeperError, Observer, Responder, State, Wanted};
use gateway_certs::{Certificate, Slot};
use gateway_config::model::{
    Acme, AcmeCa, AcmeCertificate, AcmeDirectory, AcmeKeys, CertificatePer, ChallengeKind,
    HostPattern,
};
use tempfile::TempDir;

use crate::small_ca::{Settings, SmallCa};

const DAY: u64 = 86_400;

/// How long anything may take that must happen.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct Rig {
    pub(crate) dir: Arc<TempDir>,
    pub(crate) responder: Arc<Responder>,
    pub(crate) slot: Arc<Slot>,
    pub(crate) told: Arc<Told>,
    pub(crate) acme: Acme,
    pub(crate) certificate: AcmeCertificate,
    pub(crate) hosts: Vec<&'static str>,
    /// Seconds that the keeper's clock is ahead of this machine's.
    ahead: Arc<AtomicU64>,
}

/// What the keeper told.
#[derive(Default)]
pub(crate) struct Told {
    /// Names and sentences of events.
    pub(crate) events: Mutex<Vec<(&'static str, String)>>,
    pub(crate) states: Mutex<Vec<State>>,
    /// How often it decided what to do.
    decisions: AtomicUsize,
}

impl Observer for Told {
    fn event(&self, event: &Event<'_>) {
        self.events.lock().unwrap().push((event.name(), event.to_string()));
    }

    fn states(&self, states: &[State]) {
        *self.states.lock().unwrap() = states.to_vec();
        self.decisions.fetch_add(1, SeqCst);
    }
}

impl Told {
    pub(crate) fn count(&self, name: &str) -> usize {
        self.events.lock().unwrap().iter().filter(|(event, _)| *event == name).count()
    }

    pub(crate) fn last(&self, name: &str) -> Option<String> {
        let events = self.events.lock().unwrap();
        events.iter().rev().find(|(event, _)| *event == name).map(|(_, text)| text.clone())
    }
}

/// A directory by its URL.
pub(crate) fn directory(url: String, roots: Option<&Path>) -> AcmeDirectory {
    AcmeDirectory { ca: AcmeCa::Url(url), eab: None, roots: roots.map(Into::into) }
}

/// A rig with a small CA, whose clock goes with the keeper's.
pub(crate) async fn with_ca(change: impl FnOnce(&mut Settings)) -> (Rig, SmallCa) {
    let mut settings = Settings::default();
    change(&mut settings);
    let ca = SmallCa::start(settings).await;
    let rig = Rig::new(vec![directory(ca.directory_url(), None)]);
    let clock = rig.clock();
    ca.set(|settings| settings.clock = clock);
    (rig, ca)
}

impl Rig {
    /// One that wants a certificate for `a.test` of these CAs.
    pub(crate) fn new(directories: Vec<AcmeDirectory>) -> Self {
        let acme = Acme {
            contact: vec!["mailto:ops@example.com".into()],
            directories,
            challenges: None,
            dns: None,
        };
        let certificate =
            AcmeCertificate { profile: None, keys: AcmeKeys::Ecdsa, per: CertificatePer::Site };
        Self {
            dir: Arc::new(tempfile::tempdir().unwrap()),
            responder: Arc::default(),
            slot: Arc::default(),
            told: Arc::default(),
            acme,
            certificate,
            hosts: vec!["a.test"],
            ahead: Arc::default(),
        }
    }

    /// Another process with the same folder and clock.
    pub(crate) fn again(&self) -> Self {
        Self {
            dir: self.dir.clone(),
            responder: Arc::default(),
            slot: Arc::default(),
            told: Arc::default(),
            acme: self.acme.clone(),
            certificate: self.certificate.clone(),
            hosts: self.hosts.clone(),
            ahead: self.ahead.clone(),
        }
    }

    pub(crate) fn keeper(&self) -> Result<Keeper, KeeperError> {
        self.keeper_with(Arc::new(Disk::open(self.dir.path())?))
    }

    pub(crate) fn keeper_with(&self, storage: Arc<dyn Storage>) -> Result<Keeper, KeeperError> {
        let ahead = self.ahead.clone();
        let hosts = self.hosts.iter().map(|host| HostPattern::parse(host).unwrap());
        let wanted = Wanted {
            site: self.hosts[0].to_owned(),
            hosts: hosts.collect(),
            certificate: self.certificate.clone(),
            slot: self.slot.clone(),
        };
        let settings = gateway_acme::Settings {
            acme: self.acme.clone(),
            listeners: vec![ChallengeKind::Http01],
            nameservers: Vec::new(),
            wanted: vec![wanted],
            clock: Clock(Arc::new(move || {
                SystemTime::now() + Duration::from_secs(ahead.load(SeqCst))
            })),
            longest_sleep: Duration::from_millis(20),
        };
        Keeper::open(settings, storage, self.responder.clone(), self.told.clone())
    }

    /// Runs a keeper until `test` is over.
    pub(crate) async fn run<T>(&self, test: impl Future<Output = T>) -> T {
        let keeper = self.keeper().unwrap();
        tokio::select! {
            () = keeper.run(std::future::pending()) => unreachable!("it runs for ever"),
            outcome = test => outcome,
        }
    }

    /// Waits until something is so.
    pub(crate) async fn until<T>(&self, what: &str, ask: impl Fn() -> Option<T>) -> T {
        let asking = async {
            loop {
                if let Some(answer) = ask() {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(DEADLINE, asking).await {
            Ok(answer) => answer,
            Err(_) => panic!("waited in vain: {what}\n{:#?}", self.told.events.lock().unwrap()),
        }
    }

    /// Waits until the keeper has decided some more times what to do: whatever it would do at this
    /// time of its clock, it has begun.
    pub(crate) async fn decided(&self) {
        let before = self.told.decisions.load(SeqCst);
        self.until("decisions", || (self.told.decisions.load(SeqCst) >= before + 3).then_some(()))
            .await;
    }

    /// Waits for so many events of a kind.
    pub(crate) async fn told(&self, event: &str, times: usize) {
        let what = format!("{times} of {event}");
        self.until(&what, || (self.told.count(event) >= times).then_some(())).await;
    }

    pub(crate) fn pass_days(&self, days: u64) {
        self.pass(days * DAY);
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, SeqCst);
    }

    pub(crate) fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.ahead.load(SeqCst))
    }

    /// A clock for a CA that goes with the keeper's.
    pub(crate) fn clock(&self) -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
        let ahead = self.ahead.clone();
        Arc::new(move || SystemTime::now() + Duration::from_secs(ahead.load(SeqCst)))
    }

    pub(crate) fn served(&self) -> Vec<Arc<Certificate>> {
        self.slot.load().certificates.clone()
    }

    pub(crate) fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.dir.path().join("acme")).unwrap();
        let mut names: Vec<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}
