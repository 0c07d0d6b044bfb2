//! The gateway itself: the real binary as a process of its own, on free ports.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use super::output::Output;
use super::within;

/// A running gateway. Dropping it ends the process; if the test failed, everything that the process
/// wrote is shown, and if the process panicked anywhere, the test fails.
pub(crate) struct Gateway {
    process: Process,
    dir: TempDir,
    http: Option<SocketAddr>,
    https: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
}

const BINARY: &str = env!("CARGO_BIN_EXE_gateway");

/// How many files a process may have open, and how far it may raise that itself.
#[derive(Clone, Copy)]
pub(crate) struct Files {
    pub(crate) soft: usize,
    pub(crate) hard: usize,
}

/// How a gateway ended that could not start.
pub(crate) struct FailedStart {
    pub(crate) status: ExitStatus,
    /// Everything that it wrote to stderr.
    pub(crate) stderr: String,
}

impl Gateway {
    /// Starts `gateway run` with this configuration and waits until it is ready.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_in(folder(), config).await
    }

    /// [`Gateway::start`] in a folder that already holds what the configuration names. The folder
    /// is the working folder too.
    pub(crate) async fn start_in(dir: TempDir, config: &str) -> Self {
        Self::ready(Process::spawn(&dir, config), dir).await
    }

    /// Starts `gateway run` with a configuration that is in the folder already: a file, or a folder of
    /// files.
    pub(crate) async fn start_from(dir: TempDir, config: &str) -> Self {
        let command = Command::new(BINARY);
        Self::ready(Process::spawn_with(command, &dir, &dir.path().join(config)), dir).await
    }

    /// [`Gateway::start`] where the process may have only so many files open.
    pub(crate) async fn start_with(files: Files, config: &str) -> Self {
        let dir = folder();
        Self::ready(Process::spawn_limited(files, &dir, config), dir).await
    }

    async fn ready(process: Process, dir: TempDir) -> Self {
        let ready = |event: &Value| event["event"] == "ready";
        process.stderr.object("an event \"ready\"", ready).await;
        let mut gateway = Self { process, dir, http: None, https: Vec::new(), admin: None };
        for event in gateway.process.stderr.objects() {
            gateway.note_listener(&event);
        }
        gateway
    }

    /// Starts a gateway that must not start.
    pub(crate) async fn fail_in(dir: TempDir, config: &str) -> FailedStart {
        Self::failed(Process::spawn(&dir, config)).await
    }

    /// [`Gateway::fail_in`] where the process may have only so many files open.
    pub(crate) async fn fail_with(files: Files, config: &str) -> FailedStart {
        let dir = folder();
        Self::failed(Process::spawn_limited(files, &dir, config)).await
    }

    async fn failed(mut process: Process) -> FailedStart {
        let status = within("the exit of a gateway that cannot start", process.exited()).await;
        process.stderr.join();
        FailedStart { status, stderr: process.stderr.text() }
    }

    fn note_listener(&mut self, event: &Value) {
        if event["event"] != "listening" {
            return;
        }
        let address = event["address"].as_str().and_then(|address| address.parse().ok());
        let Some(address) = address else {
            panic!("the event \"listening\" without an address: {event}")
        };
        match event["listener"].as_str() {
            Some("http") => self.http = Some(address),
            Some("https") => self.https.push(address),
            Some("admin") => self.admin = Some(address),
            other => panic!("the event \"listening\" of an unknown listener: {other:?}"),
        }
    }

    /// The plain listener's address.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http.expect("the gateway said nothing about a plain listener")
    }

    /// The first TLS listener's address.
    pub(crate) fn https(&self) -> SocketAddr {
        *self.https.first().expect("the gateway said nothing about a TLS listener")
    }

    /// Every TLS listener's address.
    pub(crate) fn all_https(&self) -> &[SocketAddr] {
        &self.https
    }

    /// The admin listener's address.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin.expect("the gateway said nothing about the admin listener")
    }

    /// The folder of the configuration.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The root certificate of the local CA, as PEM.
    pub(crate) fn local_ca(&self) -> String {
        let path = self.dir().join("storage/local-ca/root.crt");
        match std::fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) => panic!("the local CA's root should be in {}: {error}", path.display()),
        }
    }

    /// The folder, when the process has ended: for another start in it.
    pub(crate) fn into_dir(self) -> TempDir {
        assert!(!self.is_running(), "the gateway still runs in this folder");
        self.dir
    }

    /// Waits for a record of the access log.
    pub(crate) async fn record(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.process.stdout.object(what, fits).await
    }

    /// Waits for the access log's record of a path.
    pub(crate) async fn record_of(&self, path: &str) -> Value {
        let what = format!("an access log record of {path}");
        self.record(&what, |record| record["path"] == path).await
    }

    /// Waits for a line of the access log.
    pub(crate) async fn log_line(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        self.process.stdout.line(what, |line| fits(line).then(|| line.to_owned())).await
    }

    /// The access log so far.
    pub(crate) fn access_log(&self) -> String {
        self.process.stdout.text()
    }

    /// Waits for something that the gateway says about itself.
    pub(crate) async fn event(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.process.stderr.object(what, fits).await
    }

    /// Everything the gateway has said about itself so far.
    pub(crate) fn events(&self) -> String {
        self.process.stderr.text()
    }

    /// The process.
    pub(crate) fn pid(&self) -> Pid {
        self.process.pid
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        signal::kill(self.process.pid, signal).unwrap();
    }

    /// Whether the process still runs.
    pub(crate) fn is_running(&self) -> bool {
        self.process.exit.borrow().is_none()
    }

    /// Waits for the process's end; its output is complete afterwards.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        let status = within("the gateway's exit", self.process.exited()).await;
        self.process.stdout.join();
        self.process.stderr.join();
        status
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.exited().await
    }
}

/// A fresh folder.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("gateway-test-").tempdir().unwrap()
}

struct Process {
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
    stdout: Output,
    stderr: Output,
}

impl Process {
    fn spawn(dir: &TempDir, config: &str) -> Self {
        let file: PathBuf = dir.path().join("gateway.toml");
        std::fs::write(&file, config).unwrap();
        Self::spawn_with(Command::new(BINARY), dir, &file)
    }

    fn spawn_limited(Files { soft, hard }: Files, dir: &TempDir, config: &str) -> Self {
        let mut command = Command::new("sh");
        let limits = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$@\"");
        command.args(["-c", &limits, "sh", BINARY]);
        let file = dir.path().join("gateway.toml");
        std::fs::write(&file, config).unwrap();
        Self::spawn_with(command, dir, &file)
    }

    fn spawn_with(mut command: Command, dir: &TempDir, file: &Path) -> Self {
        let mut child = command
            .arg("run")
            .arg("--config")
            .arg(file)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(child.id().try_into().unwrap());
        let stdout = Output::read("stdout", child.stdout.take().unwrap());
        let stderr = Output::read("stderr", child.stderr.take().unwrap());
        Self { pid, exit: reap(child), stdout, stderr }
    }

    async fn exited(&mut self) -> ExitStatus {
        let exit = self.exit.wait_for(Option::is_some).await.unwrap();
        exit.unwrap()
    }
}

/// Waits for the process in a thread, so that it can be waited for here with a deadline.
fn reap(mut child: Child) -> watch::Receiver<Option<ExitStatus>> {
    let (sender, exit) = watch::channel(None);
    std::thread::spawn(move || {
        let status = child.wait().unwrap();
        sender.send_replace(Some(status));
    });
    exit
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.exit.borrow().is_none() {
            // It may have ended between the two lines; then there is nobody to kill.
            let _ = signal::kill(self.pid, Signal::SIGKILL);
        }
        self.stdout.join();
        self.stderr.join();
        if std::thread::panicking() {
            self.stderr.show();
            self.stdout.show();
        } else {
            let said = self.stderr.text();
            assert!(!said.contains("panicked"), "the gateway panicked:\n{said}");
        }
    }
}
