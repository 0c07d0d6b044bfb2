//! A server's process: its output goes to a file, and it dies with the test.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// Where `.ci/prepare test` puts what it takes out of packages.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/usr/bin");

/// A running program.
pub(crate) struct Process {
    name: &'static str,
    child: Mutex<Child>,
    log: PathBuf,
}

/// Whether both programs are there; if not, says that `what` is skipped.
pub(crate) fn is_installed(what: &str) -> bool {
    let is_there = ["pebble", "pebble-challtestsrv"].iter().all(|name| found(name).is_some());
    if !is_there {
        let why = "pebble is not installed (Debian and Ubuntu: .ci/prepare test)";
        let line = format!("\nSKIPPED: {what}: {why}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    is_there
}

/// The program's file, on the path or among the tools.
fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push(PathBuf::from(TOOLS));
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl Process {
    /// Starts a program in a folder, with nothing in its environment but these variables.
    ///
    /// # Errors
    /// Where there is no such program.
    pub(crate) fn start(
        dir: &Path,
        name: &'static str,
        arguments: &[String],
        environment: &[(&str, String)],
    ) -> Result<Self, String> {
        let program = found(name).ok_or_else(|| format!("{name} is not installed"))?;
        let log = dir.join(name).with_extension("log");
        let output = File::create(&log).unwrap();
        let mut errors = output.try_clone().unwrap();
        errors.seek(SeekFrom::End(0)).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{name} could not be started: {error}"))?;
        Ok(Self { name, child: Mutex::new(child), log })
    }

    /// The program's name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Everything that it wrote.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Whether it ended, or lives without one of its ports.
    pub(crate) fn failed(&self) -> bool {
        let ended = self.child.lock().unwrap().try_wait().unwrap().is_some();
        ended || self.log().contains("address already in use")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A poisoned lock must not keep it alive.
        let child = self.child.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        // It may have ended already; then there is nobody to kill.
        let _ = child.kill();
        let _ = child.wait();
        if std::thread::panicking() {
            for line in self.log().lines() {
                eprintln!("{}: {line}", self.name);
            }
        }
    }
}
