//! Pebble, the ACME test server of Let's Encrypt, with its DNS server `pebble-challtestsrv`: two
//! processes of the test's own on loopback.
//!
//! The module needs nothing but what is in this folder, so tests of other crates include it by
//! `#[path = "…/acme/tests/harness/pebble/mod.rs"]`.
//!
//! Debian's package is of version 2.4.0. That version
//!
//! - has: http-01, tls-alpn-01 and dns-01; IP identifiers (http-01 and tls-alpn-01 only); wildcards
//!   (dns-01 only); external account binding (`externalAccountBindingRequired`,
//!   `externalAccountMACKeys`, base64url; HS256, HS384 and HS512); `certificateValidityPeriod` in
//!   seconds, for all certificates alike (five years unless told); `notBefore` and `notAfter` in
//!   orders; `domainBlocklist` (`rejectedIdentifier`, subdomains too); key rollover; revocation,
//!   and its state at `/cert-status-by-serial/`; alternate chains; `PEBBLE_CHAIN_LENGTH`; reuse of
//!   valid authorizations (half of the time unless told); rejected nonces (5 % unless told);
//! - lacks: renewal information and `replaces` (RFC 9773; a `replaces` in an order is ignored);
//!   profiles (ignored too); `Retry-After`, in every answer, and the configuration of it
//!   (`retryAfter`); subproblems; rate limits; CAA (records can be set, but it never asks for them);
//!   contacts and other meta in the directory but `termsOfService` and `externalAccountRequired`;
//! - is strict: an unknown authorization, order or challenge is an empty 404, not a problem document;
//!   an order becomes `invalid` with the first failed authorization, with that challenge's problem as
//!   its error; finalize answers `processing` first; every validation is made three times; only the
//!   first address of a name is tried, AAAA before A, and no other after it; the port of http-01
//!   stands in the `Host` field; a redirect of http-01 is followed, but to the port that its URL
//!   says, 80 or 443 without one; with a blocked name, an order for a name of fewer labels than that
//!   may crash its request;
//! - gets new root and intermediate keys with every start, and forgets everything else.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary that includes this uses a part of it"
)]

mod client;
mod dns;
mod https;
mod management;
mod options;
mod ports;
mod process;
mod relay;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

pub(crate) use self::options::Options;
use self::ports::Ports;
use self::process::Process;
pub(crate) use self::relay::Relay;

/// How often a start is tried, each time on other ports.
const STARTS: u32 = 5;

/// How long a start may take: the machine may be busy, and RSA keys are made.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long to wait between two questions whether a server answers.
const PAUSE: Duration = Duration::from_millis(20);

/// A running pebble and its DNS server. Dropping it kills both; if the test failed, what they wrote
/// is shown.
pub(crate) struct Pebble {
    pebble: Option<Process>,
    names: Process,
    ports: Ports,
    options: Options,
    http: Relay,
    tls: Relay,
    dir: TempDir,
}

/// Whether both programs are there. Where they are not, the test `what` is said to be skipped, past
/// the test runner's capture.
pub(crate) fn is_installed(what: &str) -> bool {
    process::is_installed(what)
}

impl Pebble {
    /// Starts both processes and waits until they answer.
    ///
    /// # Panics
    /// Where they do not.
    pub(crate) async fn start(options: Options) -> Self {
        let dir = tempfile::Builder::new().prefix("pebble-").tempdir().unwrap();
        https::write(dir.path());
        let (http, tls) = (Relay::start().await, Relay::start().await);
        let mut failure = String::new();
        for _ in 0..STARTS {
            let ports = Ports::choose();
            match start_both(&options, &ports, &dir, &http, &tls).await {
                Ok((pebble, names)) => {
                    let pebble = Some(pebble);
                    return Self { pebble, names, ports, options, http, tls, dir };
                }
                Err(error) => failure = error,
            }
        }
        panic!("pebble could not be started in {STARTS} attempts; the last: {failure}")
    }

    /// The URL of the ACME directory.
    pub(crate) fn directory_url(&self) -> String {
        format!("https://{}/dir", self.ports.directory)
    }

    /// The file of the root certificate that pebble's own https is to be trusted by.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.dir.path().join(https::CA)
    }

    /// Where pebble's http-01 validations end, whatever name they are for: the plain listener of the
    /// gateway under test. Until this is called, they find a closed connection. Not for a pebble with
    /// [`Options::http_port`].
    pub(crate) fn http_at(&self, addr: SocketAddr) {
        self.http.forward_to(Some(addr));
    }

    /// The same for tls-alpn-01: the TLS listener of the gateway under test. Not for a pebble with [`Options::tls_port`].
    pub(crate) fn tls_at(&self, addr: SocketAddr) {
        self.tls.forward_to(Some(addr));
    }

    /// The way that http-01 validations take: counts them, and can be cut.
    pub(crate) fn http_relay(&self) -> &Relay {
        &self.http
    }

    /// The way that tls-alpn-01 validations take.
    pub(crate) fn tls_relay(&self) -> &Relay {
        &self.tls
    }

    /// The address that DNS is answered at.
    pub(crate) fn dns_addr(&self) -> SocketAddr {
        self.ports.dns
    }

    /// The address at which records are set and removed by HTTP, for a program that is not this one.
    pub(crate) fn names_addr(&self) -> SocketAddr {
        self.ports.names
    }

    /// Kills pebble, as a CA that cannot be reached; the DNS server stays.
    pub(crate) fn stop(&mut self) {
        self.pebble = None;
    }

    /// Kills pebble if it runs, and starts it again on the same ports. It has lost its memory:
    /// accounts, orders, certificates; root and intermediate are new. The DNS server stays.
    ///
    /// # Panics
    /// Where another program has taken one of the ports meanwhile and does not give it back.
    pub(crate) async fn restart(&mut self) {
        self.stop();
        let mut failure = String::new();
        for _ in 0..STARTS {
            match start_pebble(&self.ports, &self.options, &self.dir).await {
                Ok(pebble) => {
                    self.pebble = Some(pebble);
                    return;
                }
                Err(error) => failure = error,
            }
        }
        panic!("pebble could not be started again: {failure}")
    }

    /// Everything that pebble has written since its last start.
    pub(crate) fn log(&self) -> String {
        self.pebble.as_ref().map(Process::log).unwrap_or_default()
    }
}

async fn start_both(
    options: &Options,
    ports: &Ports,
    dir: &TempDir,
    http: &Relay,
    tls: &Relay,
) -> Result<(Process, Process), String> {
    let validated =
        [options.http_port.unwrap_or(http.port()), options.tls_port.unwrap_or(tls.port())];
    options.write_config(dir.path(), ports, validated);
    let names = Process::start(dir.path(), "pebble-challtestsrv", &dns::arguments(ports), &[])?;
    answering(&names, async || dns::answers(ports).await).await?;
    let pebble = start_pebble(ports, options, dir).await?;
    Ok((pebble, names))
}

async fn start_pebble(ports: &Ports, options: &Options, dir: &TempDir) -> Result<Process, String> {
    let arguments = ["-config", options::CONFIG, "-dnsserver", &ports.dns.to_string()];
    let arguments = arguments.map(str::to_owned);
    let pebble = Process::start(dir.path(), "pebble", &arguments, &options.environment())?;
    let ca = dir.path().join(https::CA);
    answering(&pebble, async || management::answers(ports, &ca).await).await?;
    Ok(pebble)
}

/// Waits until a started program answers.
///
/// # Errors
/// Where it ended, could not bind a port, or did not answer in time; with what it wrote.
async fn answering(process: &Process, answers: impl AsyncFn() -> bool) -> Result<(), String> {
    let mut pause = tokio::time::interval(PAUSE);
    let wait = async {
        loop {
            pause.tick().await;
            if process.failed() {
                return Err("it failed");
            }
            if answers().await {
                return Ok(());
            }
        }
    };
    let waited = tokio::time::timeout(DEADLINE, wait).await;
    waited
        .unwrap_or(Err("it did not answer"))
        .map_err(|why| format!("{}: {why}; it wrote:\n{}", process.name(), process.log()))
}
