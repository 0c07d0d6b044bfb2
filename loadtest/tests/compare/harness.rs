//! The real program in a folder of its own, and the golden files that its outputs are held against.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A command that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// A folder to run commands in. It is also where they keep temporary files, so that what they leave
/// can be seen.
pub(crate) struct Folder(TempDir);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// A program that is a shell script.
    pub(crate) fn script(&self, name: &str, text: &str) {
        self.write(name, &format!("#!/bin/sh\n{text}"));
        let path = self.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The program, with this folder first on the path.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env("PATH", format!("{}:{path}", self.path().display()));
        command.env("TMPDIR", self.path()).env("NO_COLOR", "1");
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let id = rustix::process::Pid::from_child(&child);
        let (sender, output) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = output.recv_timeout(LIMIT) else {
            rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
            panic!("loadtest {arguments:?} did not end within {LIMIT:?}");
        };
        let output = output.unwrap();
        let text = |bytes| {
            String::from_utf8(bytes).unwrap().replace(&*self.path().to_string_lossy(), "[DIR]")
        };
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Temporary folders that are left.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        let is_temporary =
            |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("loadtest-");
        entries.filter(is_temporary).collect()
    }

    /// Ids of processes whose working folder is below this one.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let inside = |id: &u32| {
            std::fs::read_link(format!("/proc/{id}/cwd"))
                .is_ok_and(|folder| folder != self.path() && folder.starts_with(self.path()))
        };
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter(inside).collect()
    }
}

impl Run {
    pub(crate) fn exits_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}

/// Holds a text against `golden/NAME`.
pub(crate) fn is_golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, actual, "not as in golden/{name}");
}

/// Waits for something that is about to be so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Says loudly that a test did not happen.
#[expect(clippy::print_stderr, reason = "a test that did not happen is not silent about it")]
pub(crate) fn skipped(what: &str, missing: &str, how: &str) {
    eprintln!("\n*** SKIPPED: {what}: {missing} is not here; {how}\n");
}
