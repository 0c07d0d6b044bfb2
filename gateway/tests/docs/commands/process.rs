//! Commands as a shell runs them, with a deadline.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

/// How long a command may take. Long, because the machine may be busy.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    /// stdout and stderr as a terminal shows them; nothing where a server was started, or where the
    /// command could not be run here.
    pub(crate) output: Option<String>,
}

impl Answer {
    pub(super) fn nothing_to_compare() -> Self {
        Self { status: 0, output: None }
    }
}

/// A shell in a folder, with the gateway on its path, and nothing of the caller's own settings that
/// could change what a reader would see.
pub(super) fn shell(command: &str, folder: &Path) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_gateway"));
    let mut path = binary.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).current_dir(folder).stdin(Stdio::null());
    shell.env("PATH", path).env("HOME", folder).env("LC_ALL", "C");
    for name in
        ["XDG_STATE_HOME", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    {
        shell.env_remove(name);
    }
    shell
}

/// Runs a command to its end.
pub(super) fn run(command: &str, folder: &Path) -> Answer {
    let together = format!("exec 2>&1\n{command}");
    let mut child = shell(&together, folder).stdout(Stdio::piped()).spawn().unwrap();
    let pid = pid(&child);
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
        let status = child.wait().unwrap();
        // Nobody listens any more where it took too long.
        drop(sender.send((status, output)));
    });
    let Ok((status, output)) = ended.recv_timeout(DEADLINE) else {
        signal::kill(pid, Signal::SIGKILL).unwrap();
        panic!("`{command}` did not end within {DEADLINE:?}");
    };
    let output = String::from_utf8_lossy(&output).into_owned();
    Answer { status: status.code().unwrap_or(-1), output: Some(output) }
}

pub(super) fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().unwrap())
}

/// Whether a program can be started here. Some know no `--version`; that they started is enough.
pub(super) fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}
