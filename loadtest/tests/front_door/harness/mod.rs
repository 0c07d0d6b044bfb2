//! The real binary in a folder of its own, and the real origins that it aims at.

pub(crate) mod certs;
pub(crate) mod origin;
pub(crate) mod raw;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(90);

/// A folder with scenarios, and what they need.
pub(crate) struct Folder {
    dir: TempDir,
}

/// What a run did.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("loadtest-").tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for variable in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
            command.env_remove(variable);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(ended(self.start(arguments), arguments))
    }

    /// Runs a scenario, and reads its result.
    pub(crate) fn result(&self, scenario: &str, arguments: &[&str]) -> Value {
        self.write("scenario.toml", scenario);
        let all = [&["run", "scenario.toml", "--quiet", "--json", "-"], arguments].concat();
        let run = self.run(&all);
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
        assert_eq!(run.stderr, "");
        serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap()
    }
}

impl Run {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Waits for a command's end, but not for ever.
fn ended(child: Child, arguments: &[&str]) -> Output {
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let (sender, output) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match output.recv_timeout(LIMIT) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            kill(pid, Signal::SIGKILL).unwrap();
            panic!("loadtest {arguments:?} did not end within {LIMIT:?}");
        }
    }
}

/// A number of a result, as `/latency_ms/p99`.
pub(crate) fn number(result: &Value, pointer: &str) -> f64 {
    let value = result.pointer(pointer).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("no number {pointer} in {result:#}"))
}
