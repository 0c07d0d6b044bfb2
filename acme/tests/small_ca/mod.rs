//! What the tests of the CA share.

mod accounts;
mod certificates;
mod orders;
mod renewal;
mod trouble;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use instant_acme::{Account, Error, Identifier, NewOrder};
use rustls::pki_types::UnixTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::harness::account;
use crate::harness::issue::{self, Issued};
use crate::harness::responder::Responder;
use crate::harness::small_ca::{Settings, SmallCa, Validation};

/// A CA, an account, and what answers challenges.
struct Set {
    ca: SmallCa,
    account: Account,
    responder: Responder,
}

impl Set {
    /// Challenges are fetched for real.
    async fn start(settings: Settings) -> Self {
        let responder = Responder::start().await;
        let validation = Validation::Http(responder.addr());
        let ca = SmallCa::start(Settings { validation, ..settings }).await;
        let account = account::create(&ca.directory_url(), None).await;
        Self { ca, account, responder }
    }

    async fn issue(&self, order: &NewOrder<'_>) -> Result<Issued, Error> {
        issue::by_http(&self.account, &self.responder, order).await
    }

    /// Issues for `a.test`.
    async fn issue_one(&self) -> Result<Issued, Error> {
        self.issue(&NewOrder::new(&one())).await
    }

    fn check(&self, issued: &Issued, name: &str, at: SystemTime) -> Result<(), rustls::Error> {
        let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        issued.check(name, self.ca.root_pem(), UnixTime::since_unix_epoch(at))
    }
}

fn one() -> Vec<Identifier> {
    issue::names(&["a.test"])
}

/// Settings with a clock, and what moves it.
fn with_clock(start: SystemTime) -> (Settings, Arc<Mutex<SystemTime>>) {
    let time = Arc::new(Mutex::new(start));
    let read = Arc::clone(&time);
    let clock = Arc::new(move || *read.lock().unwrap());
    (Settings { clock, ..Settings::default() }, time)
}

/// The first of January 2030.
fn new_year() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000)
}

/// notBefore and notAfter of what was issued, in seconds.
fn validity(issued: &Issued) -> (u64, u64) {
    let (_, certificate) = X509Certificate::from_der(&issued.chain[0]).unwrap();
    let validity = certificate.validity();
    [validity.not_before, validity.not_after]
        .map(|time| u64::try_from(time.timestamp()).unwrap())
        .into()
}
