//! A small certificate authority of the tests' own that speaks ACME as the RFCs say, for what pebble
//! lacks. It is a task of the test's runtime, so tests can ask it what it saw, and make trouble.
//!
//! - RFC 8555: accounts (external ones too), orders, authorizations, certificates, revocation, key
//!   rollover. Signatures (ES256) and nonces are checked, and URLs. No pre-authorization, no lists of
//!   orders, no alternate chains; http-01 redirects are not followed, and dns-01 and tls-alpn-01
//!   succeed only where [`Validation::Always`] is set.
//! - RFC 9773: renewal information, and `replaces` in orders.
//! - Profiles (draft-ietf-acme-profiles): `classic` (90 days), `tlsserver` (45 days) and `shortlived`
//!   (160 hours, and the only one with IP addresses), as Let's Encrypt has them.
//! - As with Let's Encrypt, an order that a failed validation made invalid has no error of its own:
//!   that stands in the challenge.
//!
//! The module needs nothing but what is in this folder, so tests of other crates include it by
//! `#[path = "…/acme/tests/harness/small_ca/mod.rs"]`. They need the crates that it names: aws-lc-rs,
//! base64, httpdate, rcgen with x509-parser, time.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary that includes this uses a part of it"
)]

mod accounts;
mod answer;
mod authority;
mod authorizations;
mod jws;
mod kind;
mod orders;
mod profiles;
mod renewal;
mod revocation;
mod seen;
mod server;
mod settings;
mod state;
mod trouble;
mod validation;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use self::answer::{Answer, Problem, RetryAfter};
use self::authority::Authority;
pub(crate) use self::kind::Kind;
pub(crate) use self::seen::Seen;
pub(crate) use self::settings::{Settings, Validation};
use self::state::State;
pub(crate) use self::trouble::{Flaw, Trouble};

/// The authority. It ends when dropped.
pub(crate) struct SmallCa {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// What the handlers of requests share.
struct Shared {
    /// `http://127.0.0.1:PORT`.
    base: String,
    authority: Authority,
    is_out: AtomicBool,
    settings: Mutex<Settings>,
    state: Mutex<State>,
    seen: Mutex<Vec<Seen>>,
    troubles: Mutex<trouble::Troubles>,
}

impl SmallCa {
    /// Starts one on a free port of loopback.
    pub(crate) async fn start(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            base: format!("http://{}", listener.local_addr().unwrap()),
            authority: Authority::new(),
            is_out: AtomicBool::new(false),
            settings: Mutex::new(settings),
            state: Mutex::default(),
            seen: Mutex::default(),
            troubles: Mutex::default(),
        });
        let server = tokio::spawn(server::run(listener, Arc::clone(&shared)));
        Self { shared, server }
    }

    /// The URL of the ACME directory.
    pub(crate) fn directory_url(&self) -> String {
        self.shared.url("/directory")
    }

    /// The root of what it issues, as PEM.
    pub(crate) fn root_pem(&self) -> &str {
        self.shared.authority.root_pem()
    }

    /// Changes settings from now on.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.settings.lock().unwrap());
    }

    /// What the next request of a kind meets. Called again, it is the one after that, and so on.
    pub(crate) fn next(&self, kind: Kind, trouble: Trouble) {
        self.shared.troubles.lock().unwrap().next(kind, trouble);
    }

    /// What every request of a kind meets, unless [`SmallCa::next`] says otherwise.
    pub(crate) fn always(&self, kind: Kind, trouble: Trouble) {
        self.shared.troubles.lock().unwrap().always(kind, trouble);
    }

    /// Ends all trouble.
    pub(crate) fn calm(&self) {
        *self.shared.troubles.lock().unwrap() = trouble::Troubles::default();
    }

    /// Whether every connection is closed without an answer.
    pub(crate) fn set_outage(&self, is_out: bool) {
        self.shared.is_out.store(is_out, Ordering::SeqCst);
    }

    /// Makes it forget accounts, orders and certificates, as a CA that was set up anew. Root and
    /// intermediate stay.
    pub(crate) fn forget(&self) {
        *self.shared.state.lock().unwrap() = State::default();
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// How many requests of a kind there were.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.shared.seen.lock().unwrap().iter().filter(|seen| seen.kind == kind).count()
    }

    /// The leaves of all certificates issued so far, as DER, and whether each was revoked.
    pub(crate) fn issued(&self) -> Vec<(Vec<u8>, bool)> {
        let state = self.shared.state.lock().unwrap();
        state.certificates.iter().map(|it| (it.der.clone(), it.revoked.is_some())).collect()
    }
}

impl Drop for SmallCa {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn now(&self) -> SystemTime {
        let clock = Arc::clone(&self.settings.lock().unwrap().clock);
        clock()
    }
}
