//! A program of the user's changes the record: `COMMAND… set|remove NAME VALUE`.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{Change, Examined, ExecError, TxtRecord};

/// What the program finds in its environment, as far as the gateway has it.
const ENVIRONMENT: [&str; 2] = ["PATH", "HOME"];

/// How much of the end of standard error is kept, in bytes and lines.
const STDERR: usize = 2048;
const LINES: usize = 3;

/// How long standard error may stay open once the program has ended, because of others that have it.
const LINGER: Duration = Duration::from_secs(1);

/// The program.
#[derive(Debug)]
pub(super) struct Exec {
    program: String,
    arguments: Vec<String>,
}

impl Exec {
    pub(super) fn new(command: &[String]) -> Self {
        let (program, arguments) = command
            .split_first()
            .map_or_else(Default::default, |split| (split.0.clone(), split.1.to_vec()));
        Self { program, arguments }
    }

    /// Runs it to its end.
    pub(super) async fn change(
        &self,
        record: &TxtRecord,
        change: Change,
        limit: Duration,
    ) -> Result<(), ExecError> {
        let action = match change {
            Change::Set => "set",
            Change::Remove => "remove",
        };
        let mut child = self.start(record, action)?;
        // Whatever happens to us, it does not run on.
        let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let mut tail = Tail::default();
        let ended = timeout(limit, ended(&mut child, &mut tail)).await;
        let (program, name) = (self.program.clone(), record.name().to_owned());
        let Ok(ended) = ended else {
            drop(group);
            return Err(ExecError::Hung { program, action, name, limit, stderr: tail.shown() });
        };
        group.leave();
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let (ended, stderr) = (explained(status), tail.shown());
                Err(ExecError::Failed { program, action, name, ended, stderr })
            }
            Err(error) => {
                let ended = format!("was lost sight of ({error})");
                Err(ExecError::Failed { program, action, name, ended, stderr: tail.shown() })
            }
        }
    }

    /// Looks whether the program is there and may be run. It is not.
    pub(super) fn examine(&self) -> Result<Examined, ExecError> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let candidates: Vec<PathBuf> = match self.program.contains('/') {
            true => vec![PathBuf::from(&self.program)],
            false => {
                std::env::split_paths(&folders).map(|folder| folder.join(&self.program)).collect()
            }
        };
        let mut source = io::Error::from(io::ErrorKind::NotFound);
        for file in candidates {
            match access(&file, Access::EXEC_OK) {
                Ok(()) if file.is_file() => {
                    return Ok(Examined::Program { file: file.display().to_string() });
                }
                Ok(()) => {}
                Err(Errno::NOENT) => {}
                Err(error) => source = error.into(),
            }
        }
        Err(ExecError::start(self.program.clone(), source))
    }

    fn start(&self, record: &TxtRecord, action: &str) -> Result<Child, ExecError> {
        let environment =
            ENVIRONMENT.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let started = Command::new(&self.program)
            .args(&self.arguments)
            .args([action, record.name(), record.value()])
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        started.map_err(|source| ExecError::start(self.program.clone(), source))
    }
}

/// The program's end. What it wrote is read meanwhile, or it could wait for that for ever.
async fn ended(child: &mut Child, tail: &mut Tail) -> io::Result<ExitStatus> {
    let Some(mut stderr) = child.stderr.take() else { return child.wait().await };
    let mut reading = std::pin::pin!(tail.read(&mut stderr));
    tokio::select! {
        () = &mut reading => child.wait().await,
        status = child.wait() => {
            // Half a second more or less says nothing about success.
            let _ = timeout(LINGER, reading).await;
            status
        }
    }
}

/// The end of what was written.
#[derive(Default)]
struct Tail(Vec<u8>);

impl Tail {
    async fn read(&mut self, from: &mut (impl AsyncRead + Unpin)) {
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            self.0.extend_from_slice(buffer.get(..length).unwrap_or_default());
            self.0.drain(..self.0.len().saturating_sub(STDERR));
        }
    }

    /// The last lines, on one.
    fn shown(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join(" / ");
        let last: String =
            last.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        if last.is_empty() { last } else { format!(" saying `{last}`") }
    }
}

/// The program and all that it started, which are killed when this is dropped.
struct Group(Option<Pid>);

impl Group {
    /// The program has ended by itself.
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Where it has just ended, there is nobody to kill.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn explained(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended in an unknown way".into(),
    }
}
