//! A program that runs for as long as it is held, in a process group of its own.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::cores::CoreList;
use super::interrupt;

/// How many of its last lines are shown of a program that failed.
const LAST_WORDS: usize = 8;

/// How long a program has to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(3);

/// A running program. Dropping it ends it and everything that it started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Pid,
    stderr: PathBuf,
}

impl Process {
    /// Starts `command` on `cores`. Its working folder is `folder`, and what it says on stderr stands
    /// there in a file.
    ///
    /// # Errors
    /// That of a program that cannot be started.
    pub(crate) fn start(
        mut command: Command,
        cores: &CoreList,
        folder: &Path,
        stdout: Stdio,
    ) -> io::Result<Self> {
        let stderr = folder.join("stderr");
        command.current_dir(folder).process_group(0);
        command.stdin(Stdio::null()).stdout(stdout).stderr(File::create(&stderr)?);
        let (child, group) = interrupt::start(|| {
            let child = cores.start(&mut command)?;
            let group = Pid::from_child(&child);
            Ok::<_, io::Error>((child, group))
        })?;
        Ok(Self { child, group, stderr })
    }

    /// The group that it and its children are in.
    pub(crate) fn group(&self) -> Pid {
        self.group
    }

    /// Its stdout, where that was piped; once.
    pub(crate) fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for its end, and no longer than `limit`; `None`: it is still running.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            if began.elapsed() > limit {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The last lines that it wrote to stderr.
    pub(crate) fn last_words(&self) -> String {
        let said = std::fs::read(&self.stderr).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        lines.get(lines.len().saturating_sub(LAST_WORDS)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A program may have something to write down, a profile for instance.
        interrupt::ask_to_end(self.group);
        let _killed_next_where_it_has_not = self.wait(PATIENCE);
        interrupt::kill(self.group);
        // So that its ports are free when this returns.
        drop(self.child.wait());
        interrupt::ended(self.group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::cores::Cores;

    fn shell(script: &str, folder: &Path) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let cores = Cores::one_for_the_server().unwrap();
        Process::start(command, &cores.client, folder, Stdio::null()).unwrap()
    }

    #[test]
    fn children_end_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell("sleep 1000 & sleep 1000 & wait", folder.path());
        let group = process.group();
        while crate::bench::cpu::members(group).unwrap().len() < 3 {
            std::thread::yield_now();
        }
        drop(process);
        let began = Instant::now();
        while !crate::bench::cpu::members(group).unwrap().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(5), "something of it is still running");
        }
    }

    #[test]
    fn the_last_lines_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("seq 100 >&2; exit 3", folder.path());
        let status = process.wait(Duration::from_secs(10)).unwrap().unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(process.last_words(), "93\n94\n95\n96\n97\n98\n99\n100");
    }
}
